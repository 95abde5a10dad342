"""Price, commission, legs, refunds and reversals: every split is exact to the minor unit.

Source: settlement guide §2, *Amounts* and *Shapes*; money list 25, 28, 29, 36, 37, 38.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.errors import N_, Invalid
from exchange.money import Money
from exchange.payable import grain


class RefundTooLarge(Invalid):
    """More back than came in."""

    message = N_("At most %(most)s can be refunded.")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a deal costs and who gets what, frozen when it is agreed."""

    net: Money
    """The goods, before tax."""
    vat: Money
    commission: Money
    """The exchange's, before tax; taken from the seller's part."""
    commission_vat: Money

    def __post_init__(self) -> None:
        if self.net.minor <= 0 or min(self.vat.minor, self.commission.minor, self.commission_vat.minor) < 0:
            raise ValueError("a price is positive, tax and commission are not negative")
        if self.to_seller.minor < 0:
            raise ValueError("the commission is larger than the price")

    @property
    def total(self) -> Money:
        """What the buyer pays."""
        return self.net + self.vat

    @property
    def fee(self) -> Money:
        """What the exchange keeps, tax included."""
        return self.commission + self.commission_vat

    @property
    def to_seller(self) -> Money:
        """What reaches the seller's side when nothing is refunded."""
        return self.total - self.fee


@dataclass(frozen=True, slots=True)
class Share:
    """One receiver's right to a deal's money, frozen at agreement: a fixed sum first, or a weight of the rest."""

    weight: int
    fixed_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a deal's money is shared out: refund + legs + commission + its tax is what was received."""

    refund: Money
    commission: Money
    commission_vat: Money
    legs: tuple[Money, ...]


def terms(net: Money, *, vat_bp: int, commission_bp: int, commission_vat_bp: int) -> Terms:
    """The terms of goods that come to ``net`` before tax; each rate is rounded once, to what the currency can move."""
    commission = _share(net, commission_bp)
    return Terms(net, _share(net, vat_bp), commission, _share(commission, commission_vat_bp))


def _share(amount: Money, basis_points: int) -> Money:
    size = grain(amount)
    return Money(amount.minor // size, amount.currency).share(basis_points) * size


def with_vat(net_part: Money, whole: Terms) -> Money:
    """What ``net_part`` of the price comes to with its tax: the whole price gives the whole total."""
    if not 0 <= net_part.minor <= whole.net.minor:
        raise RefundTooLarge(most=whole.net)
    size = grain(whole.total) if net_part != whole.net else 1
    return Money(whole.total.minor * net_part.minor // whole.net.minor // size * size, net_part.currency)


def plan(whole: Terms, shares: Sequence[Share], refund: Money) -> Plan:
    """Share out ``whole`` with ``refund`` of it going back to the buyer.

    The commission falls with the price, its fraction of a cent let go: what is kept never exceeds what is left. The
    legs take all the rest, fixed sums first in their order, then by weight.
    Raises RefundTooLarge.
    """
    total, currency = whole.total, whole.total.currency
    if not 0 <= refund.minor <= total.minor:
        raise RefundTooLarge(most=total)

    def kept(part: Money) -> Money:
        size = grain(part, total, refund)
        return Money(part.minor * (total - refund).minor // total.minor // size * size, currency)

    commission, commission_vat = kept(whole.commission), kept(whole.commission_vat)
    rest = total - refund - commission - commission_vat
    return Plan(refund, commission, commission_vat, tuple(legs(rest, shares)))


def legs(rest: Money, shares: Sequence[Share]) -> list[Money]:
    """Split ``rest`` among ``shares``: fixed sums first as far as it reaches, then the weights by largest remainder."""
    if not any(share.fixed_minor is None and share.weight > 0 for share in shares):
        raise ValueError("somebody takes the rest")
    fixed: list[int] = []
    left, size = rest.minor, grain(rest)
    for share in shares:
        part = min((share.fixed_minor or 0) // size * size, left)
        fixed.append(part)
        left -= part
    weights = [share.weight if share.fixed_minor is None else 0 for share in shares]
    by_weight = Money(left // size, rest.currency).allocate(weights)
    return [Money(part, rest.currency) + more * size for part, more in zip(fixed, by_weight, strict=True)]


def take_back(parts: Sequence[Money], amount: Money) -> list[Money]:
    """What each of ``parts`` gives back for ``amount`` that goes to the buyer after the money was shared out.

    ``parts`` is what each has now, the receivers' legs and the exchange's commission. Shared by largest remainder over
    what is left, so no chain takes more than a part has, and one that takes everything ends exactly at nothing.
    """
    if not 0 <= amount.minor <= sum(part.minor for part in parts):
        raise ValueError("no more comes back than went out")
    if not amount:
        return [amount] * len(parts)
    size = grain(amount, *parts)
    given = Money(amount.minor // size, amount.currency).allocate([part.minor // size for part in parts])
    return [part * size for part in given]
