"""What a want may say, how close a lot comes to it, and what a seller may learn of demand. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from exchange.contact_details import ensure_no_contact_details
from exchange.errors import N_, Conflict, DomainError, Invalid, Several
from exchange.listings.rules.categories import BY_SLUG, REGIONS
from exchange.listings.rules.codes import gtin14
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import Incoterm
from exchange.money import Money

LONGEST_LIFE = timedelta(days=365)
MOST_CODES = 500
MOST_OPEN = 100
"""Open wants of one company: enough for any range, too few to fish for what the market holds."""


class Closeness(StrEnum):
    """Why a lot meets a want, closest first (guide/domain.md §4)."""

    GTIN = "gtin"
    BRAND = "brand"
    CATEGORY = "category"


class NothingWanted(Invalid):
    message = N_("Say what you look for: a category, a brand or bar codes.")


class UnknownCategory(Invalid):
    message = N_("Choose a category from the list.")


class UnknownRegion(Invalid):
    message = N_("Choose regions from the list.")


class NotABarCode(Invalid):
    message = N_("“%(code)s” is not a bar code: its check digit is wrong. Copy it again from the product.")


class TooManyCodes(Invalid):
    message = N_("A want holds at most %(most)s bar codes. Make two of it.")


class QuantityRange(Invalid):
    message = N_("The smallest quantity is at least 1 and not above the largest.")


class CeilingNotPositive(Invalid):
    message = N_("The highest price must be more than zero. Leave it empty if there is none.")


class WantExpiry(Invalid):
    message = N_("Choose an end date from tomorrow to one year from now.")


class BrandTooLong(Invalid):
    message = N_("Keep the brand under 80 characters.")


class TooManyWants(Conflict):
    message = N_("You have %(most)s open wants, which is the most. Close one first.")


class WantClosed(Conflict):
    message = N_("This want is closed already.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. Empty ``regions`` or ``incoterms`` mean any; ``ceiling`` per unit is told to nobody."""

    quantity_min: int
    expires_at: datetime
    category: str | None = None
    brand: str = ""
    gtins: tuple[str, ...] = ()
    worst_grade: Grade = Grade.D
    quantity_max: int | None = None
    ceiling: Money | None = None
    regions: tuple[str, ...] = ()
    incoterms: tuple[Incoterm, ...] = field(default=())


def ensure_sound(wanted: Wanted, now: datetime) -> None:
    """Raises Several with every reason why the want cannot stand."""
    faults: list[DomainError] = []
    if not (wanted.category or wanted.brand or wanted.gtins):
        faults.append(NothingWanted(field="category"))
    if wanted.category is not None and wanted.category not in BY_SLUG:
        faults.append(UnknownCategory(field="category"))
    if len(wanted.brand) > 80:
        faults.append(BrandTooLong(field="brand"))
    if len(wanted.gtins) > MOST_CODES:
        faults.append(TooManyCodes(most=MOST_CODES, field="gtins"))
    if wanted.quantity_min < 1 or (wanted.quantity_max is not None and wanted.quantity_max < wanted.quantity_min):
        faults.append(QuantityRange(field="quantity_min"))
    if wanted.ceiling is not None and wanted.ceiling.minor <= 0:
        faults.append(CeilingNotPositive(field="ceiling"))
    if not set(wanted.regions) <= set(REGIONS):
        faults.append(UnknownRegion(field="regions"))
    if not now < wanted.expires_at <= now + LONGEST_LIFE + timedelta(days=1):
        faults.append(WantExpiry(field="expires_on"))
    if faults:
        raise Several(faults)
    if wanted.brand:
        ensure_no_contact_details(wanted.brand, field="brand")


def codes(text: str) -> tuple[str, ...]:
    """The bar codes in ``text``, in fourteen digits, each once. Raises NotABarCode naming the first wrong one."""
    found: dict[str, None] = {}
    for word in text.replace(",", " ").replace(";", " ").split():
        code = gtin14(word)
        if code is None:
            raise NotABarCode(code=word[:40], field="gtins")
        found[code] = None
    return tuple(found)


class Demand(StrEnum):
    """How many buyers a lot would suit, as its seller is told: an exact figure would let single rivals be traced."""

    FEW = "few"
    SOME = "some"
    MANY = "many"

    @property
    def label(self) -> str:
        return {
            Demand.FEW: N_("fewer than 5 buyers look for this"),
            Demand.SOME: N_("5 to 19 buyers look for this"),
            Demand.MANY: N_("20 buyers or more look for this"),
        }[self]


def demand_band(buyers: int) -> Demand:
    """The band of ``buyers``."""
    return Demand.FEW if buyers < 5 else Demand.SOME if buyers < 20 else Demand.MANY
