"""An invoice in the words of EN 16931: each business term (BT) and group (BG) with its value, for Factur-X's generator.

Source: EN 16931-1; AFNOR XP Z12-012 (profile of the French reform, *Flux 2*): 0002 is the scheme of a SIREN, 0225 of an
electronic address in the reform's directory.
"""

import re
import unicodedata
from typing import Any

from exchange.money import Money, exponent
from exchange.settlement.rules.invoices import Address, Invoice, Line, Party
from exchange.settlement.rules.mentions import Mention
from exchange.settlement.rules.vat import Regime

PROFILE = "urn:cen.eu:en16931:2017"
_CATEGORY = {
    None: "S",
    Mention.INTRA_EU: "K",
    Mention.EXPORT: "G",
    Mention.REVERSE_CHARGE: "AE",
    Mention.OUTSIDE: "O",
    Mention.FRANCHISE: "E",
}
_REASON = {
    Mention.INTRA_EU: "VATEX-EU-IC",
    Mention.EXPORT: "VATEX-EU-G",
    Mention.REVERSE_CHARGE: "VATEX-EU-AE",
    Mention.OUTSIDE: "VATEX-EU-O",
    Mention.FRANCHISE: "VATEX-FR-FRANCHISE",
}
_BY_VAT = {
    "AT": "9914", "BE": "9925", "BG": "9926", "CH": "9927", "CY": "9928", "CZ": "9929", "DE": "9930", "DK": "0198",
    "EE": "9931", "ES": "9920", "FI": "0213", "GB": "9932", "GR": "9933", "HR": "9934", "HU": "9910", "IE": "9935",
    "IT": "0211", "LI": "9936", "LT": "9937", "LU": "9938", "LV": "9939", "MT": "9943", "NL": "9944", "PL": "9945",
    "PT": "9946", "RO": "9947", "SI": "9949", "SK": "9950", "TR": "9952",
}  # fmt: skip
"""Schemes of electronic addresses that are a VAT number, by country (code list EAS of the European Commission)."""
_BY_REGISTRATION = {"FR": "0225", "NO": "0192", "SE": "0007"}
"""The same for register numbers."""
_PIECE = "C62"
"""UN/ECE Rec. 20: one."""


def fields(invoice: Invoice) -> dict[str, Any]:
    """The invoice by business terms. Raises NoMention, NoRateSource."""
    invoice.ensure_whole()
    exemption, currency = invoice.exemption, invoice.vat.currency
    category = _CATEGORY[exemption]
    rate = None if category == "O" else f"{invoice.rate_bp / 100:.2f}"
    tax: dict[str, Any] = {
        "BT-116": _amount(invoice.net),
        "BT-117": _amount(invoice.vat),
        "BT-118": category,
        "BT-119": rate,
    }
    mentions = list(invoice.mentions())
    if exemption is not None:
        # a small business abroad is exempt by its own country's law: the code is France's
        coded = exemption is not Mention.FRANCHISE or invoice.supplier.is_french
        tax |= {"BT-120": mentions[0][1], "BT-121": _REASON[exemption] if coded else None}
    found: dict[str, Any] = {
        "BT-1": invoice.number,
        "BT-2": invoice.day,
        "BT-3": "381" if invoice.kind.credits else "380",
        "BT-5": currency,
        "BT-8": "invoice" if invoice.on_debits else None,
        "BT-9": invoice.paid_on,
        "BT-12": invoice.contract,
        # 2: paid before it is written; the goods' price by the buyer, the commission out of the seller's payment
        "BT-23": "S2" if invoice.kind.is_commission else "B2",
        "BT-24": PROFILE,
        "BT-72": invoice.supplied_on,
        "BT-106": _amount(invoice.net),
        "BT-109": _amount(invoice.net),
        "BT-110": _amount(invoice.vat),
        "BT-112": _amount(invoice.total),
        "BT-113": _amount(invoice.total),
        "BT-115": _amount(Money(0, currency)),
        "BG-1": [{"BT-21": code, "BT-22": text} for code, text in mentions if code != "TXD"] + _addressee(invoice),
        "BG-3": [{"BT-25": invoice.corrects.number, "BT-26": invoice.corrects.day}] if invoice.corrects else [],
        "BG-4": _party(invoice.supplier, invoice, seller=True),
        "BG-7": _party(invoice.customer, invoice, seller=False),
        "BG-23": [tax],
        "BG-25": [_line(n, line, category, rate) for n, line in enumerate(invoice.lines, start=1)],
    }
    if invoice.own_tax is not None:
        found |= {"BT-6": invoice.own_tax.vat.currency, "BT-111": _amount(invoice.own_tax.vat)}
    elif (
        invoice.supplier.is_french and currency != "EUR"
    ):  # no tax is none in euros too, and has to say so (BR-FR-CO-12)
        found |= {"BT-6": "EUR", "BT-111": "0.00"}
    if not invoice.kind.is_commission:
        found["BG-13"] = {"name": _text(invoice.customer.name)} | _address(invoice.ship_to or invoice.customer.address)
    return found


def _addressee(invoice: Invoice) -> list[dict[str, str]]:
    """Through which of the reform's channels it goes: invoicing between French businesses, or reporting."""
    if not invoice.supplier.is_french:
        return []
    return [{"BT-21": "BAR", "BT-22": "B2B" if invoice.customer.is_french else "B2BINT"}]


def _party(party: Party, invoice: Invoice, *, seller: bool) -> dict[str, Any]:
    """No tax number where the tax does not reach (BR-O-02); a small business without one gives its register number."""
    silent = invoice.exemption is Mention.OUTSIDE
    untaxed = seller and not party.vat and invoice.regime is Regime.FRANCHISE
    where, scheme = _electronic_address(party)
    return {
        "name": _text(party.name),
        "legal_identifier": party.registration,
        "legal_identifier_schemeid": "0002" if party.is_french else None,
        "vat_identifier": None if silent else party.vat,
        "tax_identifier": party.registration if untaxed else None,
        "einvoicing_addr": where,
        "einvoicing_addr_schemeid": scheme,
    } | _address(party.address)


def _electronic_address(party: Party) -> tuple[str | None, str | None]:
    """Where a platform finds the company; none for one in a country whose numbers are no such address."""
    for schemes, number in ((_BY_REGISTRATION, party.registration), (_BY_VAT, party.vat)):
        if number and party.country in schemes:
            return re.sub(r"[^A-Za-z0-9]", "", number), schemes[party.country]
    return None, None


def _address(address: Address) -> dict[str, str]:
    return {
        "addr_l1": _text(address.street),
        "postcode": _text(address.postcode),
        "city": _text(address.city),
        "country_code": address.country,
    }


def _line(number: int, line: Line, category: str, rate: str | None) -> dict[str, Any]:
    return {
        "BT-126": str(number),
        "BT-129": str(line.quantity),
        "BT-130": _PIECE,
        "BT-131": _amount(line.amount),
        "BT-146": _amount(line.unit_price),
        "BT-151": category,
        "BT-152": rate,
        "BT-153": _text(line.title),
        "BT-157": line.gtin,
        "BT-157-1": "0160" if line.gtin else None,
    }


def _amount(amount: Money) -> str:
    """With no more than the two decimals the norm takes: of three, the last is zero in all that moves (`payable`)."""
    text = f"{amount.decimal:f}"
    return text.removesuffix("0") if exponent(amount.currency) == 3 else text


def _text(text: str) -> str:
    """Without the control characters that no XML may hold."""
    return "".join(c for c in text if unicodedata.category(c)[0] != "C").strip()
