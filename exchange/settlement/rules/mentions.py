"""What the law wants written on an invoice: dated texts, by kind, the supplier's country and language.

Source: domain guide §9. VAT moved from the CGI to the CIBS on 1 September 2026 (ordonnance 2025-1247); the CGI's
article numbers are tolerated until 31 December 2027. From then on the exemption is named by the directive's article,
which art. 226 (11) of Directive 2006/112/EC allows anywhere in the Union and no recodification changes. Suppliers
outside France name it so today. A new wording is a new row with the day it begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from exchange.errors import N_, Conflict


class Mention(StrEnum):
    """What a text says."""

    INTRA_EU = "intra_eu"
    EXPORT = "export"
    REVERSE_CHARGE = "reverse_charge"
    OUTSIDE = "outside"
    """A service to a business outside the Union: out of the tax's reach."""
    FRANCHISE = "franchise"
    GOODS = "goods"
    SERVICES = "services"
    DEBITS = "debits"
    """The supplier pays the tax when it invoices."""
    MANDATE = "mandate"
    """Somebody else writes the invoice in the supplier's name."""
    RATE = "rate"
    """How the tax was converted into the supplier's own currency."""
    LATE = "late"
    RECOVERY = "recovery"
    DISCOUNT = "discount"


class NoMention(Conflict):
    """The texts of the law that this paper needs are not known for its day."""

    message = N_("No wording of “%(mention)s” is known for %(day)s. The table of mentions must be brought up to date.")


@dataclass(frozen=True, slots=True)
class Wording:
    """``text`` in ``language``, for suppliers of ``country`` (of any, where None), in force from ``since``."""

    mention: Mention
    language: str
    text: str
    country: str | None = None
    since: date = date.min
    until: date = date.max
    """The last day on which it may still be used."""


CGI_UNTIL = date(2027, 12, 31)
_SHAPE = {"fr": "%s, %s.", "en": "%s: %s."}


def _exemptions() -> Iterator[Wording]:
    """For each reason without tax: the CGI's article in France as long as it is tolerated, else the directive's."""
    for mention, french, english, cgi, directive in (
        (Mention.INTRA_EU, "Exonération de TVA (livraison intracommunautaire)", "VAT exempt intra-Community supply",
         "262 ter I", "138"),
        (Mention.EXPORT, "Exonération de TVA (exportation)", "VAT exempt export", "262 I", "146"),
        (Mention.REVERSE_CHARGE, "Autoliquidation : TVA due par le preneur", "Reverse charge, VAT due by the customer",
         "283-2", "196"),
        (Mention.OUTSIDE, "TVA non applicable (preneur établi hors de l’Union européenne)",
         "Outside the scope of VAT (customer outside the European Union)", "259-1°", "44"),
        (Mention.FRANCHISE, "TVA non applicable", "VAT not applicable", "293 B", "284"),
    ):  # fmt: skip
        said = {"fr": french, "en": english}
        by_code = {"fr": f"article {cgi} du CGI", "en": f"article {cgi} of the French tax code (CGI)"}
        by_directive = {
            "fr": f"article {directive} de la directive 2006/112/CE",
            "en": f"article {directive} of Directive 2006/112/EC",
        }
        for language, shape in _SHAPE.items():
            union = shape % (said[language], by_directive[language])
            yield Wording(mention, language, shape % (said[language], by_code[language]), "FR", until=CGI_UNTIL)
            yield Wording(mention, language, union, "FR", since=date(2028, 1, 1))
            yield Wording(mention, language, union)


WORDINGS: tuple[Wording, ...] = (
    *_exemptions(),
    Wording(Mention.GOODS, "fr", "Nature de l’opération : livraison de biens."),
    Wording(Mention.GOODS, "en", "Nature of the transaction: supply of goods."),
    Wording(Mention.SERVICES, "fr", "Nature de l’opération : prestation de services."),
    Wording(Mention.SERVICES, "en", "Nature of the transaction: supply of services."),
    Wording(Mention.DEBITS, "fr", "Option pour le paiement de la taxe d’après les débits."),
    Wording(Mention.DEBITS, "en", "The supplier has opted to pay VAT when invoicing (VAT on debits)."),
    Wording(Mention.MANDATE, "fr", "Établie par %(writer)s au nom et pour le compte de %(supplier)s, sous mandat."),
    Wording(Mention.MANDATE, "en", "Issued by %(writer)s in the name and on behalf of %(supplier)s, under mandate."),
    Wording(
        Mention.RATE, "fr", "TVA convertie en %(currency)s au dernier taux de référence publié par la Banque centrale "
        "européenne à la date d’exigibilité, celui du %(quoted_on)s : %(quotes)s.",
    ),
    Wording(
        Mention.RATE, "en", "VAT converted into %(currency)s at the latest European Central Bank reference rate when "
        "the tax became chargeable, that of %(quoted_on)s: %(quotes)s.",
    ),
    Wording(
        Mention.LATE, "fr", "En cas de retard de paiement : pénalités au taux de trois fois l’intérêt légal.", "FR",
        date(2009, 1, 1),
    ),
    Wording(
        Mention.LATE, "en", "Late payment: penalties at three times the French statutory interest rate.", "FR",
        date(2009, 1, 1),
    ),
    Wording(
        Mention.RECOVERY, "fr", "En cas de retard de paiement : indemnité forfaitaire de recouvrement de 40 €.", "FR",
        date(2013, 1, 1),
    ),
    Wording(
        Mention.RECOVERY, "en", "Late payment: fixed compensation of €40 for recovery costs.", "FR", date(2013, 1, 1)
    ),
    Wording(Mention.DISCOUNT, "fr", "Pas d’escompte pour paiement anticipé.", "FR"),
    Wording(Mention.DISCOUNT, "en", "No discount for early payment.", "FR"),
)  # fmt: skip


def wording(mention: Mention, language: str, country: str, day: date, **details: str) -> str:
    """The text in force on ``day`` for a supplier of ``country``: its own country's, else everybody's; the newest.

    Raises NoMention.
    """
    found = [
        w
        for w in WORDINGS
        if w.mention is mention
        and w.language == language
        and w.country in {country, None}
        and w.since <= day <= w.until
    ]
    if not found:
        raise NoMention(mention=mention.value, day=day.isoformat())
    best = max(found, key=lambda w: (w.country is not None, w.since))
    return best.text % details if details else best.text
