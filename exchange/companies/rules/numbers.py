"""The numbers and names of a business: its registers' checks, and how an owner names a rival (guide/domain.md §10)."""

from unicodedata import combining, normalize

from stdnum import get_cc_module
from stdnum.eu.vat import MEMBER_STATES
from stdnum.exceptions import ValidationError
from stdnum.fr import siret

from exchange.companies.rules.places import countries
from exchange.contact_details import ensure_no_contact_details
from exchange.errors import N_, Invalid


class WrongSiren(Invalid):
    message = N_("“%(number)s” is not a SIREN. A SIREN has nine digits; you find it on your Kbis extract.")


class WrongRegistration(Invalid):
    message = N_(
        "“%(number)s” is not a company registration number of this country. Copy it from your register extract."
    )


class WrongHandelsregister(WrongRegistration):
    message = N_("“%(number)s” does not name a German register. Write court and number, for example Köln HRB 1234.")


class WrongVat(Invalid):
    message = N_(
        "“%(number)s” is not a VAT number of this country. Copy it from an invoice of yours, with its two letters."
    )


class VatOfAnother(Invalid):
    message = N_("This VAT number belongs to the SIREN %(siren)s, not to yours. Check both.")


_REGISTERS = {"FR": "siren", "CH": "uid", "DK": "cvr", "NO": "orgnr", "SE": "orgnr"}
"""The module of python-stdnum that checks a country's company register; elsewhere its ``businessid``, if it has one."""
_OVERSEAS = ("BL", "GF", "GP", "MF", "MQ", "PM", "RE", "YT")
"""Parts of France with an ISO code of their own: their companies stand in the same register (art. R123-220 C.com.)."""
_VAT_PREFIXES = dict.fromkeys(_OVERSEAS, "FR") | {"GR": "EL", "MC": "FR", "IM": "GB", "CH": "CHE"}
"""Countries whose VAT numbers begin with other letters than their own (Greece by Directive 2006/112 art. 215)."""
_WRONG = {"FR": WrongSiren, "DE": WrongHandelsregister}


def registration_number(country: str, text: str) -> str:
    """The company's number in the register of ``country``, in its shortest spelling. A SIRET gives its SIREN.

    Where no checksum is known, four to twenty letters and digits will do. Raises WrongSiren, WrongRegistration.
    """
    country = "FR" if country in _OVERSEAS else country
    text = text.strip().removeprefix("Amtsgericht ") if country == "DE" else text
    compact = "".join(c for c in text if c.isalnum()).upper()
    if country == "FR" and siret.is_valid(compact):
        return str(siret.to_siren(compact))
    module = get_cc_module(country, _REGISTERS.get(country, "businessid"))
    try:
        if module is not None:
            return str(module.validate(text))
    except ValidationError as e:
        raise _WRONG.get(country, WrongRegistration)(field="registration", number=text.strip()[:40]) from e
    if not (4 <= len(compact) <= 20 and compact.isascii()):
        raise WrongRegistration(field="registration", number=text.strip()[:40])
    return compact


def vat_number(country: str, text: str, registration: str = "") -> str | None:
    """The VAT number with its country letters; None when blank, as small sellers have none (art. 293 B CGI).

    A number of France, overseas too, must carry the company's own SIREN. Raises WrongVat, VatOfAnother.
    """
    compact = "".join(c for c in text if c.isalnum()).upper()
    if not compact:
        return None
    prefix = _VAT_PREFIXES.get(country, country)
    wrong = WrongVat(field="vat", number=text.strip()[:40])
    if not compact.startswith(prefix):
        raise wrong
    module = get_cc_module("gr" if prefix == "EL" else prefix[:2], "vat")
    if module is None:
        if not (len(prefix) + 4 <= len(compact) <= 20 and compact.isascii()):
            raise wrong
        return compact
    try:
        number = str(module.validate(compact)).removeprefix(prefix)
    except ValidationError as e:
        raise wrong from e
    if country in ("FR", *_OVERSEAS) and registration and number[2:] != registration:
        raise VatOfAnother(field="vat", siren=number[2:])
    return prefix + number


def in_eu(country: str) -> bool:
    """Whether ``country`` belongs to the Union's VAT area as python-stdnum lists it (Monaco counts as France)."""
    return country.lower() in MEMBER_STATES or country == "MC"


# --- naming a rival (design promise 3) ------------------------------------------------------------------------------


class NobodyNamed(Invalid):
    message = N_("Write the rival's SIREN, VAT number, register number or full name.")


def rival_key(text: str, country: str) -> tuple[str, str]:
    """What finds the rival an owner names: (``registration`` | ``vat`` | ``name``, value).

    Decided by the text alone, never by who is a member. ``country`` is where a register number belongs.
    Raises NobodyNamed, and what the number checks raise.
    """
    compact = "".join(c for c in text if c.isalnum()).upper()
    if sum(c.isdigit() for c in compact) >= 6:
        prefix = "GR" if compact[:2] == "EL" else compact[:2]
        if prefix in countries() and get_cc_module(prefix, "vat") is not None and compact[2:3].isdigit():
            return "vat", vat_number(prefix, compact) or ""
        return "registration", f"{country}:{registration_number(country, text)}"
    if not (folded := fold_name(text)):
        raise NobodyNamed(field="rival")
    return "name", folded


def region_name(text: str, *names: str) -> str:
    """The region in one line, blank when not given. Masked lots show it: no contact detail, none of ``names``.

    Raises ContactDetails.
    """
    region = " ".join(text.split())[:80]
    ensure_no_contact_details(region, names=names, field="region")
    return region


_LEGAL_FORMS = frozenset((
    "sarl", "sas", "sasu", "sa", "eurl", "snc", "ltd", "limited", "plc", "llp", "llc", "inc", "gmbh", "ag", "kg",
    "ohg", "ug", "bv", "nv", "srl", "spa", "sl", "slu", "ab", "as", "aps", "oy",
))  # fmt: skip


def fold_name(name: str) -> str:
    """A company's name without case, accents, punctuation and legal form, so that two spellings meet."""
    plain = "".join(c for c in normalize("NFKD", name.casefold()) if not combining(c))
    words = "".join(c if c.isalnum() else "" if c in ".'’" else " " for c in plain).split()  # S.A.R.L. is one word
    return " ".join([w for w in words if w not in _LEGAL_FORMS] or words)
