"""An invoice or a credit note: who, what, how much, and the law's mentions. Plain values; amounts add up or it is none.

Source: domain guide §9; art. 242 nonies A of annexe II CGI (mentions); EN 16931 (what the file beside it holds).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from exchange.companies.rules import in_eu
from exchange.money import Money
from exchange.settlement.rules.mentions import Mention, wording
from exchange.settlement.rules.rates import Conversion, also_in, ensure_convertible
from exchange.settlement.rules.vat import Regime


class Kind(StrEnum):
    """Which paper of a deal it is."""

    INVOICE = "invoice"
    """The seller's, for the goods, written under mandate after receipt."""
    CREDIT_NOTE = "credit_note"
    """The seller's, for what went back to the buyer."""
    COMMISSION = "commission"
    """The exchange's own, for its commission."""
    COMMISSION_CREDIT = "commission_credit"
    """The exchange's own, for commission it gave back."""

    @property
    def credits(self) -> bool:
        """Whether it takes an earlier paper back, wholly or in part."""
        return self in {Kind.CREDIT_NOTE, Kind.COMMISSION_CREDIT}

    @property
    def is_commission(self) -> bool:
        """Between the exchange and the seller; the buyer never sees it."""
        return self in {Kind.COMMISSION, Kind.COMMISSION_CREDIT}

    @property
    def corrects(self) -> "Kind":
        """The paper a credit note of this kind refers to."""
        return Kind.COMMISSION if self.is_commission else Kind.INVOICE


@dataclass(frozen=True, slots=True)
class Address:
    """Where a company is, or has its goods brought."""

    street: str
    postcode: str
    city: str
    country: str
    """ISO 3166 alpha-2."""


@dataclass(frozen=True, slots=True)
class Party:
    """One side of an invoice."""

    name: str
    """As in the register."""
    registration: str
    """SIREN in France."""
    vat: str | None
    address: Address

    @property
    def country(self) -> str:
        return self.address.country

    @property
    def is_french(self) -> bool:
        return self.country == "FR"


@dataclass(frozen=True, slots=True)
class Line:
    """``quantity`` times ``unit_price``, before tax."""

    title: str
    quantity: int
    unit_price: Money
    gtin: str | None = None

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Reference:
    """The invoice a credit note takes back from."""

    number: str
    day: date


@dataclass(frozen=True, slots=True)
class OwnTax:
    """The tax once more in the supplier's own currency, and by which rates."""

    vat: Money
    by: Conversion


class Unbalanced(ValueError):
    """Lines and totals that do not add up: a fault of ours."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """All that stands on the paper. Amounts of a credit note are positive: its kind says they go back."""

    kind: Kind
    number: str
    language: str
    day: date
    supplied_on: date
    paid_on: date
    supplier: Party
    customer: Party
    writer: str
    """The exchange, by its legal name: who writes the paper."""
    lines: Sequence[Line]
    vat: Money
    regime: Regime
    rate_bp: int
    contract: str
    """The deal, as both sides find it."""
    ship_to: Address | None = None
    """Where the goods went, if not to the customer's address."""
    on_debits: bool = False
    corrects: Reference | None = None
    own_tax: OwnTax | None = None
    """Where the tax is charged in another currency than the supplier's own (Directive 2006/112/EC art. 230)."""

    def __post_init__(self) -> None:
        if not self.lines or any(line.amount.minor <= 0 for line in self.lines) or self.vat.minor < 0:
            raise Unbalanced("a paper has lines, each above zero")
        if (self.corrects is not None) is not self.kind.credits:
            raise Unbalanced("a credit note names its invoice, an invoice names none")
        if self.vat and not self.rate_bp:
            raise Unbalanced("tax without a rate")
        if self.own_tax is not None and (self.own_tax.vat.currency, self.own_tax.by.source) != (
            self.tax_also_in,
            self.vat.currency,
        ):
            raise Unbalanced("tax stated in a currency that is not the supplier's own")

    @property
    def net(self) -> Money:
        """Before tax."""
        return Money(sum(line.amount.minor for line in self.lines), self.vat.currency)

    @property
    def total(self) -> Money:
        return self.net + self.vat

    @property
    def tax_also_in(self) -> str | None:
        """The currency in which the tax must be stated besides, if any."""
        return also_in(self.supplier.country, self.vat.currency) if self.vat else None

    def ensure_whole(self) -> None:
        """Whether it may be issued: tax in a foreign currency is told in the supplier's own too.

        Raises NoRateSource, Unbalanced.
        """
        if self.tax_also_in is not None and self.own_tax is None:
            ensure_convertible(self.supplier.country, self.tax_also_in)
            raise Unbalanced("tax in a foreign currency without its amount in the supplier's own")

    def mentions(self) -> Iterator[tuple[str, str]]:
        """What the law wants said, each with its subject code (UNTDID 4451), in force on the paper's day.

        Raises NoMention.
        """

        def said(mention: Mention, **details: str) -> str:
            return wording(mention, self.language, self.supplier.country, self.day, **details)

        if self.exemption:
            yield "TXD", said(self.exemption)
        yield "AAI", said(Mention.SERVICES if self.kind.is_commission else Mention.GOODS)
        if self.own_tax is not None:
            by, to = self.own_tax.by, self.language
            yield (
                "AAI",
                said(Mention.RATE, currency=by.target, quoted_on=by.day_told(to), quotes=by.quoted(to)),
            )
        if self.on_debits:
            yield "AAI", said(Mention.DEBITS)
        if not self.kind.is_commission:
            yield "REG", said(Mention.MANDATE, writer=self.writer, supplier=self.supplier.name)
        if self.supplier.is_french:  # art. L441-9 and L441-10 C.com., and the reform's BR-FR-05
            yield "PMD", said(Mention.LATE)
            yield "PMT", said(Mention.RECOVERY)
            yield "AAB", said(Mention.DISCOUNT)

    @property
    def exemption(self) -> Mention | None:
        """Why it carries no tax, if it does not."""
        if self.regime is Regime.REVERSE_CHARGE and not in_eu(self.customer.country):
            return Mention.OUTSIDE
        return {
            Regime.INTRA_EU: Mention.INTRA_EU,
            Regime.EXPORT: Mention.EXPORT,
            Regime.REVERSE_CHARGE: Mention.REVERSE_CHARGE,
            Regime.FRANCHISE: Mention.FRANCHISE,
        }.get(self.regime)
