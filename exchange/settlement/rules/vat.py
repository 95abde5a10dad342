"""Which VAT a trade carries: a regime, and a rate from dated data.

Source: domain guide §9; Directive 2006/112/EC art. 96 (standard rates), art. 138 (intra-Community supply), art. 146
(export), art. 44 and 196 (reverse charge of services), art. 284 (small businesses; France: art. 293 B CGI). Reduced
rates and the margin scheme are not decided here.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from exchange.companies.rules import in_eu, standard_rate, vat_area


class Regime(StrEnum):
    """Why a trade carries the VAT it carries."""

    DOMESTIC = "domestic"
    INTRA_EU = "intra_eu"
    """Between two taxable persons of different member states: exempt, both VAT numbers on the invoice."""
    EXPORT = "export"
    """Leaves the European Union or comes from outside: no VAT of the exchange's making."""
    REVERSE_CHARGE = "reverse_charge"
    """A service to a business in another country: the customer declares the VAT."""
    FRANCHISE = "franchise"
    """The supplier is small and charges none."""


@dataclass(frozen=True, slots=True)
class Tax:
    """A regime and its rate in basis points (2000 is 20 %)."""

    regime: Regime
    rate_bp: int


@dataclass(frozen=True, slots=True)
class Trader:
    """What the VAT of a trade depends on."""

    country: str
    """ISO 3166 alpha-2."""
    vat_number: str | None
    franchise: bool = False
    """Small, and therefore without VAT on what it sells (art. 293 B CGI)."""

    @property
    def area(self) -> str:
        """The country whose VAT it belongs to."""
        return vat_area(self.country)


def of_goods(seller: Trader, buyer: Trader, day: date) -> Tax:
    """The VAT on goods sold by ``seller`` to ``buyer``, both businesses.

    None where the seller is small. Within one country its standard rate; between member states none when the buyer
    shows a VAT number, else the seller's rate; across the Union's border none.
    """
    if seller.franchise:
        return Tax(Regime.FRANCHISE, 0)
    if seller.area == buyer.area:
        return _domestic(seller.area, day)
    if in_eu(seller.area) and in_eu(buyer.area):
        return Tax(Regime.INTRA_EU, 0) if buyer.vat_number else _domestic(seller.area, day)
    return Tax(Regime.EXPORT, 0)


def of_commission(exchange_country: str, seller: Trader, day: date) -> Tax:
    """The VAT on the exchange's commission: its own country's rate at home, else declared by the seller."""
    if seller.area == vat_area(exchange_country) or (in_eu(seller.area) and not seller.vat_number):
        return _domestic(exchange_country, day)
    return Tax(Regime.REVERSE_CHARGE, 0)


def _domestic(country: str, day: date) -> Tax:
    """Nobody is vetted where no rate is known (`companies.rules.ensure_taxable`)."""
    return Tax(Regime.DOMESTIC, standard_rate(country, day) or 0)
