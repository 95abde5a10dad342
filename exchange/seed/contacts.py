"""What the last weeks brought besides talks: wants, first contacts, and one rival somebody hides from."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from uuid import UUID

from exchange.clock import now
from exchange.companies.actions.rivals import hide_from
from exchange.database import fetchval
from exchange.introductions.actions import answer, introduce
from exchange.introductions.rules import Answer, Parts
from exchange.listings.rules.categories import CATEGORIES
from exchange.listings.rules.grades import Grade
from exchange.money import Money
from exchange.seed.catalogue import Product, products
from exchange.seed.chance import chance
from exchange.seed.companies import Company
from exchange.seed.listings import Listing
from exchange.seed.people import COMPETITOR, MERCHANT
from exchange.seed.stage import Event, Stage
from exchange.seed.steps import Market
from exchange.wants.actions import open_want
from exchange.wants.rules import Wanted

At = Callable[[int, int], datetime]
"""The instant of an event by working days before today and its place in the day."""

GUESTS_WANTS = 5
WORDS = {
    "fr": Parts(
        "Une maison indépendante, installée depuis vingt ans.",
        "Nous vendons ce rayon en magasin et en ligne, à une clientèle fidèle.",
        "Vos lots paraissent chaque mois dans notre rayon.",
        "Reprendre régulièrement vos fins de série, toujours au même rythme.",
        "Le matin, du mardi au jeudi.",
    ),
    "en": Parts(
        "An independent house, twenty years in the trade.",
        "We sell this range in our shops and online, to people who come back.",
        "Your lots appear in our range every month.",
        "To take your ends of line regularly, at a steady pace.",
        "In the morning, Tuesday to Thursday.",
    ),
}


def contacts(market: Market, lots: Sequence[Listing], guests_lots: Sequence[Listing], at: At) -> Iterator[Event]:
    """Events in no order; ``lots`` are open ones of companies that are no guests, of one seller each."""
    drawn = chance(market.number, "contacts")
    society = market.society
    guests = [society.company_of(MERCHANT), society.company_of(COMPETITOR)]
    others = [c for c in society.companies if c not in guests and c.currency == "EUR"]
    wanting = [guest for guest in guests for _ in range(GUESTS_WANTS)]
    wanting += [drawn.choice(others) for _ in range(market.scale.wants)]
    for company in wanting:
        yield Event(at(drawn.randrange(1, 4), 6), partial(_want, company, *_wanted(drawn, market, company)))
    for guest, own in zip(guests, (lots[0:4], lots[4:8]), strict=True):
        for number, lot in enumerate(own):
            yield Event(at(6 - number, 2), partial(_introduce, lot, guest))
        yield Event(at(3, 8), partial(_answer, own[0], guest, Answer.ACCEPT))
        yield Event(at(3, 9), partial(_answer, own[1], guest, Answer.DECLINE))
    for number, lot in enumerate(guests_lots):
        yield Event(at(2 + number % 3, 3), partial(_introduce, lot, others[10 + number]))
    hidden = next(c for c in society.companies if c.currency != "EUR")
    yield Event(at(9, 4), partial(_hide, guests[0], hidden))


def _wanted(drawn: Random, market: Market, company: Company) -> tuple[str, Product, str, int]:
    """Category, an article of it, how the want names it, and a share of the retail price nobody is told."""
    home = market.society.groups[company.group].home
    category = drawn.choice([c.slug for c in CATEGORIES if c.sector in home])
    product, by = drawn.choice(products()[category]), drawn.choice(("category", "brand", "gtin"))
    return category, product, by, drawn.randrange(25, 55)


async def _want(company: Company, category: str, product: Product, by: str, percent: int, _: Stage) -> None:
    wanted = Wanted(
        quantity_min=10,
        expires_at=now() + timedelta(days=120),
        category=category,
        brand=product.brand if by == "brand" else "",
        gtins=(product.gtin,) if by == "gtin" else (),
        worst_grade=Grade.B,
        ceiling=Money(product.rrp_minor * percent // 100, company.currency) if by != "category" else None,
    )
    await open_want(wanted=wanted, currency=company.currency, by=company.trader)


async def _introduce(lot: Listing, sender: Company, _: Stage) -> None:
    await introduce(lot_id=lot.id, parts=WORDS[sender.language], gives_name=False, by=sender.trader)


async def _answer(lot: Listing, sender: Company, answered: Answer, _: Stage) -> None:
    found = await fetchval(
        "select id from introduction where lot_id = $1 and sender_company_id = $2", lot.id, sender.id
    )
    await answer(introduction_id=UUID(str(found)), answer=answered, by=lot.company.trader)


async def _hide(company: Company, rival: Company, _: Stage) -> None:
    await hide_from(by=company.owner, rival=rival.legal_name, country=rival.country)
