"""The lot: its states, its terms, how much of it may be bought at a time. Source: domain guide §3 and §7."""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from exchange.errors import N_, Conflict, Invalid
from exchange.listings.rules.thresholds import THRESHOLD_LIFE
from exchange.money import Money


class LotState(StrEnum):
    """Where a lot stands; only `open` and `part_sold` can be bought from."""

    OPEN = "open"
    PART_SOLD = "part_sold"
    CLEARED = "cleared"
    """The last unit is sold."""
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    DONATED = "donated"

    @property
    def is_for_sale(self) -> bool:
        return self in FOR_SALE


FOR_SALE = frozenset({LotState.OPEN, LotState.PART_SOLD})


class Incoterm(StrEnum):
    """Who carries the goods; FCA fits "the buyer collects"."""

    EXW = "EXW"
    FCA = "FCA"
    DAP = "DAP"
    DDP = "DDP"


INCOTERMS = {
    Incoterm.EXW: N_("collected as it stands (EXW)"),
    Incoterm.FCA: N_("handed to the carrier (FCA)"),
    Incoterm.DAP: N_("delivered (DAP)"),
    Incoterm.DDP: N_("delivered, duty paid (DDP)"),
}


class Packing(StrEnum):
    """How the goods leave."""

    PARCELS = "parcels"
    CARTONS = "cartons"
    PALLETS = "pallets"
    TRUCKLOAD = "truckload"


PACKINGS = {
    Packing.PARCELS: N_("parcels"),
    Packing.CARTONS: N_("cartons"),
    Packing.PALLETS: N_("pallets"),
    Packing.TRUCKLOAD: N_("full truckload"),
}


class CostAnswer(StrEnum):
    """Why the price may be announced although reselling below the effective purchase price is a crime in France.

    The closed list of article L442-5 of the code de commerce; the cost itself is never asked. Private to the seller.
    """

    AT_OR_ABOVE_COST = "at_or_above_cost"
    MAKER = "maker"
    CEASING = "ceasing"
    END_OF_SEASON = "end_of_season"
    OUT_OF_DEMAND = "out_of_demand"
    RESTOCKED_CHEAPER = "restocked_cheaper"
    SMALL_FOOD_SHOP = "small_food_shop"


COST_ANSWERS = {
    CostAnswer.AT_OR_ABOVE_COST: N_("I sell at or above my effective purchase price"),
    CostAnswer.MAKER: N_("I made these goods: I do not resell them"),
    CostAnswer.CEASING: N_("I cease or change my trade"),
    CostAnswer.END_OF_SEASON: N_("The goods are seasonal and the season has ended"),
    CostAnswer.OUT_OF_DEMAND: N_("The goods are out of demand: fashion or technique has moved on"),
    CostAnswer.RESTOCKED_CHEAPER: N_("I restocked identical goods at a lower price"),
    CostAnswer.SMALL_FOOD_SHOP: N_("I align a food shop under 300 m² with a lawful price nearby"),
}

SLOTS = tuple(f"{day}-{half}" for day in ("mon", "tue", "wed", "thu", "fri", "sat") for half in ("am", "pm"))
"""Half days on which the goods can be fetched: a closed list, since free text would name the place."""

MAX_TOLERANCE_BP = 500
"""Claim tolerance: 5 % of the deal's price at most, lower if the lot says so (domain guide §7)."""
MAX_LIFE = timedelta(days=180)
DEFAULT_LIFE = timedelta(days=60)
"""Of a lot whose seller names no last day; see ``last_day``."""


class TitleMissing(Invalid):
    message = N_("Give the lot a title of 3 to 140 characters that says what it holds.")


class PriceNotPositive(Invalid):
    message = N_("The price must be more than zero.")


class QuantityNotPositive(Invalid):
    message = N_("The quantity must be at least one unit.")


class MinimumTooHigh(Invalid):
    message = N_("The minimum quantity (%(minimum)s) cannot exceed what the lot holds (%(quantity)s).")


class MultipleTooHigh(Invalid):
    message = N_("The order multiple (%(multiple)s) cannot exceed what the lot holds (%(quantity)s).")


class FloorAboveAsk(Invalid):
    message = N_("The confidential floor cannot be above the price you ask.")


class AutoAcceptBelowFloor(Invalid):
    message = N_("The automatic acceptance price must lie between your floor and the price you ask.")


class ExpiryOutOfRange(Invalid):
    message = N_("Choose an end date from tomorrow to %(days)s days from now.")


class OriginNotDeclared(Invalid):
    message = N_(
        "Declare that these goods were first sold in the European Economic Area by the brand’s owner or with his "
        "consent. Without that, a lot cannot be published."
    )


class CostNotAnswered(Invalid):
    message = N_("Say whether you sell at or above your purchase price, or on which legal ground below it.")


class ToleranceTooHigh(Invalid):
    message = N_("The claim tolerance is between 0 and 5 %%.")


class ThresholdOutOfRange(Invalid):
    message = N_("The go-ahead threshold is between 2 units and what the lot holds (%(quantity)s).")


class ThresholdNeedsParts(Invalid):
    message = N_("A go-ahead threshold is for a lot sold in parts: one buyer of the whole lot reaches any.")


class ThresholdTooLong(Invalid):
    message = N_(
        "A lot with a go-ahead threshold is on sale for %(days)s days at most: its buyers' payments are held until "
        "then. Choose an earlier end date."
    )


class ThresholdDatedOtherwise(Conflict):
    message = N_("The end date of a lot with a go-ahead threshold stays: its buyers pay on the strength of it.")


class UnknownChoice(Invalid):
    message = N_("“%(value)s” is not one of the choices. Pick one from the list.")


class NotForSale(Conflict):
    message = N_("This lot is no longer for sale.")


class StockTaken(Conflict):
    message = N_("Not enough is left of this lot: %(left)s units remain. Someone was faster.")


class LotInTalks(Conflict):
    message = N_("Part of this lot is reserved by an agreement. It can be withdrawn once that deal has ended.")


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a lot is sold; `check_terms` says whether they can stand together.

    There is no field here, and there must never be one, for a minimum resale price, an internet ban or a territory
    (VBER 2022/720 art. 4, L442-6 C.com.; design promise 8).
    """

    unit_ask: Money
    partial: bool
    minimum: int
    multiple: int
    expires_at: datetime
    incoterm: Incoterm
    packing: Packing
    floor: Money | None = None
    auto_accept: Money | None = None
    authorised_brand: str = ""
    unmark: bool = False
    no_warranty: bool = False
    tolerance_bp: int = MAX_TOLERANCE_BP
    slots: tuple[str, ...] = ()
    threshold: int | None = None
    """Sold only if at least so many units are paid by ``expires_at``; fixed once the lot is published."""


def check_terms(terms: Terms, quantity: int, now: datetime) -> list[Invalid]:
    """Every reason why these terms cannot stand for a lot of ``quantity`` units."""
    faults: list[Invalid] = []
    if quantity < 1:
        faults.append(QuantityNotPositive(field="quantity"))
    if terms.unit_ask.minor <= 0:
        faults.append(PriceNotPositive(field="unit_ask"))
    if not 1 <= terms.minimum <= max(quantity, 1):
        faults.append(MinimumTooHigh(field="minimum", minimum=terms.minimum, quantity=quantity))
    if not 1 <= terms.multiple <= max(quantity, 1):
        faults.append(MultipleTooHigh(field="multiple", multiple=terms.multiple, quantity=quantity))
    if terms.floor is not None and not Money(0, terms.floor.currency) < terms.floor <= terms.unit_ask:
        faults.append(FloorAboveAsk(field="floor"))
    if terms.auto_accept is not None and not (
        (terms.floor or Money(1, terms.auto_accept.currency)) <= terms.auto_accept <= terms.unit_ask
    ):
        faults.append(AutoAcceptBelowFloor(field="auto_accept"))
    if not now < terms.expires_at <= now + MAX_LIFE + timedelta(days=1):
        faults.append(ExpiryOutOfRange(field="expires_on", days=MAX_LIFE.days))
    if terms.threshold is not None:
        if not terms.partial:
            faults.append(ThresholdNeedsParts(field="threshold"))
        if not 2 <= terms.threshold <= quantity:
            faults.append(ThresholdOutOfRange(field="threshold", quantity=quantity))
        if terms.expires_at > now + THRESHOLD_LIFE + timedelta(days=1):
            faults.append(ThresholdTooLong(field="expires_on", days=THRESHOLD_LIFE.days))
    if not 0 <= terms.tolerance_bp <= MAX_TOLERANCE_BP:
        faults.append(ToleranceTooHigh(field="tolerance"))
    faults.extend(UnknownChoice(field="slots", value=slot) for slot in terms.slots if slot not in SLOTS)
    return faults


def spread(quantity: int, free: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    """Draw ``quantity`` units from lines with ``free`` units each, in proportion, so that a part is a fair assortment.

    Largest remainder, ties to the earlier line; never more than a line has.
    """
    total = sum(units for _, units in free)
    if not 0 < quantity <= total:
        raise StockTaken(field="quantity", left=total)
    shares = [quantity * units // total for _, units in free]
    by_remainder = sorted(range(len(free)), key=lambda i: (-(quantity * free[i][1] % total), i))
    for i in by_remainder[: quantity - sum(shares)]:
        shares[i] += 1
    return {line: share for (line, _), share in zip(free, shares, strict=True) if share}


def ensure_free(lines: Mapping[UUID, int], free: Mapping[UUID, int]) -> None:
    """Whether each line still has the units asked of it. Raises StockTaken."""
    for line, quantity in lines.items():
        if quantity < 1 or quantity > free.get(line, 0):
            raise StockTaken(field="quantity", left=free.get(line, 0))


def state_after(state: LotState, *, quantity: int, sold: int) -> LotState:
    """The state of a lot once ``sold`` of its ``quantity`` units have left."""
    if not state.is_for_sale and state is not LotState.CLEARED:
        return state
    if sold >= quantity:
        return LotState.CLEARED
    return LotState.PART_SOLD if sold else LotState.OPEN


QUANTITY_BANDS = (1, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Browse lists show a band, never the exact quantity: exact figures make a listing unique (insight guide T9)."""


def quantity_band(quantity: int) -> tuple[int, int | None]:
    """The band ``quantity`` falls in, as (from, up to); no upper end for the last."""
    at = bisect(QUANTITY_BANDS, max(quantity, 1)) - 1
    return QUANTITY_BANDS[at], QUANTITY_BANDS[at + 1] - 1 if at + 1 < len(QUANTITY_BANDS) else None


def last_day(listed: date, life: timedelta = DEFAULT_LIFE) -> date:
    """The Sunday after the whole weeks of ``life``, the listing's own the first: that week is all a rival learns."""
    return listed - timedelta(days=listed.weekday() + 1) + life // timedelta(weeks=1) * timedelta(weeks=1)


def end_of(day: date) -> datetime:
    """When a lot on sale until ``day`` goes off the market."""
    return datetime.combine(day, time(22), UTC)


def brands_of(brands: Iterable[str], limit: int = 12) -> list[str]:
    """The brands of a lot, the most frequent first."""
    counted: dict[str, tuple[str, int]] = {}
    for brand in brands:
        if brand:
            name, times = counted.get(brand.casefold(), (brand, 0))
            counted[brand.casefold()] = (name, times + 1)
    return [name for name, _ in sorted(counted.values(), key=lambda c: (-c[1], c[0].casefold()))[:limit]]
