"""What a platform reports of its sellers once a year, before 31 January.

Source: art. 1649 ter A to E CGI; Directive (EU) 2021/514 (DAC7), annex V; domain guide §9. The format is CSV with every
field the law names: the XML of the tax authorities (*DPI*) is sent through a portal that validates it against a schema
which is not published with this program, so a file of that name made here would be a guess.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exchange.companies.rules import in_eu, vat_area
from exchange.money import Money
from exchange.settlement.rules.invoices import Party

FEW_SALES, LITTLE = 30, 2000_00
"""Below so many sales in the year, and at most so many cents, a seller is not reported (1649 ter C)."""


@dataclass(frozen=True, slots=True)
class Quarter:
    """One quarter of a seller: what reached it net of our fees, those fees with their tax, and for how many sales."""

    sales: int
    paid: Money
    fees: Money


@dataclass(frozen=True, slots=True)
class Seller:
    """A seller's year in one currency."""

    party: Party
    account: str
    """Where its money goes: its account at the payment service, which alone knows the bank account behind it."""
    currency: str
    quarters: Mapping[int, Quarter]

    @property
    def reported(self) -> bool:
        """Established in the Union, and neither small in number nor in money."""
        paid = sum(quarter.paid.minor for quarter in self.quarters.values())
        sales = sum(quarter.sales for quarter in self.quarters.values())
        little = sales < FEW_SALES and self.currency == "EUR" and paid <= LITTLE
        country = self.party.country
        return in_eu(country) and vat_area(country) == country and not little  # Monaco is France for VAT alone


COLUMNS: Sequence[str] = (
    "year", "platform_name", "platform_tin", "platform_vat", "platform_address", "platform_country",
    "legal_name", "street", "postcode", "city", "country", "tin", "tin_country", "vat_number", "registration_number",
    "account_identifier", "account_kind", "currency",
    *(f"q{n}_{what}" for n in (1, 2, 3, 4) for what in ("consideration", "fees_with_tax", "sales")),
    "consideration", "fees_with_tax", "sales",
)  # fmt: skip


def table(year: int, platform: Party, sellers: Iterable[Seller]) -> str:
    """The report as CSV, a line for each seller and currency that is to be reported."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for seller in sellers:
        if seller.reported:
            rows.writerow([*_platform(year, platform), *_who(seller), *_figures(seller)])
    return out.getvalue()


def _platform(year: int, platform: Party) -> Sequence[object]:
    where = platform.address
    address = f"{where.street}, {where.postcode} {where.city}"
    return year, platform.name, platform.registration, platform.vat or "", address, platform.country


def _who(seller: Seller) -> Sequence[object]:
    party, where = seller.party, seller.party.address
    return (
        party.name, where.street, where.postcode, where.city, where.country, party.registration, where.country,
        party.vat or "", party.registration, seller.account, "payment service account" if seller.account else "",
        seller.currency,
    )  # fmt: skip


def _figures(seller: Seller) -> Iterable[object]:
    nothing = Quarter(0, Money(0, seller.currency), Money(0, seller.currency))
    quarters = [seller.quarters.get(n, nothing) for n in (1, 2, 3, 4)]
    for quarter in quarters:
        yield from (quarter.paid.decimal, quarter.fees.decimal, quarter.sales)
    yield Money(sum(q.paid.minor for q in quarters), seller.currency).decimal
    yield Money(sum(q.fees.minor for q in quarters), seller.currency).decimal
    yield sum(q.sales for q in quarters)
