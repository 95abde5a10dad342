"""Money: an integer of minor units beside an ISO 4217 code, and splits that lose no cent."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache

from babel.core import get_global
from babel.numbers import get_currency_precision

from exchange.errors import N_, Invalid


class NotAnAmount(Invalid):
    """Text that is no amount of the currency."""

    message = N_("“%(text)s” is not an amount in %(currency)s. Write it like 12.50.")


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Digits after the decimal point of ``currency`` (JPY 0, EUR 2, KWD 3), from CLDR."""
    if currency not in get_global("all_currencies"):
        raise ValueError(f"not an ISO 4217 code: {currency!r}")
    return get_currency_precision(currency)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """``minor`` units of ``currency``: ``Money(1250, "EUR")`` is 12.50 EUR. Never a float."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int) or isinstance(self.minor, bool):
            raise TypeError("minor units are an int")
        exponent(self.currency)

    @classmethod
    def parse(cls, text: str | Decimal, currency: str) -> "Money":
        """Read ``"12.50"`` or ``"12,50"`` exactly; more digits than the currency has are refused.

        Raises NotAnAmount.
        """
        try:
            value = Decimal(
                str(text).strip().replace("\u202f", "").replace("\xa0", "").replace(" ", "").replace(",", ".")
            )
            minor = value.scaleb(exponent(currency))
        except InvalidOperation as e:
            raise NotAnAmount(text=str(text)[:40], currency=currency) from e
        if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) > 10**15:
            raise NotAnAmount(text=str(text)[:40], currency=currency)
        return cls(int(minor), currency)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, exact: for formatting only."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} beside {other.currency}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal} {self.currency}"

    def share(self, basis_points: int) -> "Money":
        """``basis_points`` ten-thousandths of this amount, rounded half to even, once."""
        exact = Decimal(self.minor) * basis_points / 10_000
        return Money(int(exact.quantize(Decimal(1), ROUND_HALF_EVEN)), self.currency)

    def allocate(self, weights: Sequence[int]) -> list["Money"]:
        """Split by ``weights`` with the largest remainder; ties go to the earlier part, and the sum is exact.

        Source: settlement guide §2, Amounts.
        """
        total = sum(weights)
        if total <= 0 or any(w < 0 for w in weights):
            raise ValueError("weights are non-negative and not all zero")
        sign = -1 if self.minor < 0 else 1
        amount = abs(self.minor)
        parts = [amount * w // total for w in weights]
        left = amount - sum(parts)
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
        for i in by_remainder[:left]:
            parts[i] += 1
        return [Money(sign * p, self.currency) for p in parts]
