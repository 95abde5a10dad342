import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

import exchange.listings.jobs  # noqa: F401  registers the handlers
from exchange.actor import Role
from exchange.clock import frozen, now
from exchange.companies.actions.vetting import vet
from exchange.companies.rules import Vetting
from exchange.contact_details import ContactDetails
from exchange.database import execute, fetch, fetchrow, fetchval, transaction
from exchange.errors import DomainError, NotAllowed, NotSeen, Several
from exchange.jobs import perform
from exchange.listings.actions.blocks import hide_lot, resolve_lot_blocks, show_lot_again
from exchange.listings.actions.lots import NewLot, change_lot, expire_lots, publish_lot, withdraw_lot
from exchange.listings.actions.reservations import mark_sold, release_reservation, reserve
from exchange.listings.rules.articles import Price, PriceMode
from exchange.listings.rules.lots import (
    CostAnswer,
    CostNotAnswered,
    Incoterm,
    LotInTalks,
    NotForSale,
    Packing,
    StockTaken,
    Terms,
)
from exchange.money import Money
from tests.factories import make_article, make_company, make_lot, make_person


def terms(**changes: object) -> Terms:
    plain: dict[str, object] = {
        "unit_ask": Money(1200, "EUR"), "partial": True, "minimum": 1, "multiple": 1,
        "expires_at": now() + timedelta(days=30), "incoterm": Incoterm.FCA, "packing": Packing.PALLETS,
    }  # fmt: skip
    return Terms(**(plain | changes))  # type: ignore[arg-type]  # fields by name


async def counts(lot_id: object) -> tuple[int, int, str]:
    row = await fetchrow("select reserved, sold, state from lot where id = $1", lot_id)
    assert row is not None
    return row["reserved"], row["sold"], row["state"]


# --- reservations ---------------------------------------------------------------------------------------------------


async def test_units_are_reserved_sold_and_released_once_each(db: None) -> None:
    lot = await make_lot(quantity=10)
    first, second = uuid4(), uuid4()
    held = await reserve(lot_id=lot.id, quantity=4, agreement_id=first)
    assert sum(r.quantity for r in held) == 4
    assert await reserve(lot_id=lot.id, quantity=4, agreement_id=first) == held
    await reserve(lot_id=lot.id, quantity=6, agreement_id=second)
    assert await counts(lot.id) == (10, 0, "open")
    assert await mark_sold(agreement_id=first)
    assert not await mark_sold(agreement_id=first)
    assert await counts(lot.id) == (6, 4, "part_sold")
    assert await release_reservation(agreement_id=second)
    assert not await release_reservation(agreement_id=second)
    assert not await release_reservation(agreement_id=first)
    assert await counts(lot.id) == (0, 4, "part_sold")


async def test_a_part_of_an_assortment_is_taken_from_every_line(db: None) -> None:
    lot = await make_lot(articles=[make_article(quantity=30), make_article(quantity=60), make_article(quantity=10)])
    held = await reserve(lot_id=lot.id, quantity=50, agreement_id=uuid4())
    assert [r.quantity for r in held] == [15, 30, 5]


async def test_the_last_unit_clears_the_lot(db: None) -> None:
    lot = await make_lot(quantity=3)
    deal = uuid4()
    await reserve(lot_id=lot.id, quantity=3, agreement_id=deal)
    await mark_sold(agreement_id=deal)
    assert await counts(lot.id) == (0, 3, "cleared")
    with pytest.raises(NotForSale):
        await reserve(lot_id=lot.id, quantity=1, agreement_id=uuid4())


async def test_nothing_is_reserved_of_an_expired_or_unknown_lot(db: None) -> None:
    lot = await make_lot(expires_in=timedelta(days=2))
    with frozen(now() + timedelta(days=3)), pytest.raises(NotForSale):
        await reserve(lot_id=lot.id, quantity=1, agreement_id=uuid4())
    with pytest.raises(NotSeen):
        await reserve(lot_id=uuid4(), quantity=1, agreement_id=uuid4())


async def test_two_hundred_reach_for_the_last_unit_and_one_has_it(committed: None) -> None:
    lot = await make_lot(quantity=1)

    async def reach() -> str:
        try:
            await reserve(lot_id=lot.id, quantity=1, agreement_id=uuid4())
        except StockTaken:
            return "taken"
        return "mine"

    told = await asyncio.gather(*(asyncio.create_task(reach()) for _ in range(200)))
    assert sorted(told) == ["mine"] + ["taken"] * 199
    assert await counts(lot.id) == (1, 0, "open")


@pytest.mark.parametrize("table", ["lot", "manifest_line"])
async def test_the_database_itself_refuses_to_oversell(db: None, table: str) -> None:
    lot = await make_lot(quantity=5)
    key = "id" if table == "lot" else "lot_id"
    with pytest.raises(asyncpg.CheckViolationError):
        await execute(f"update {table} set reserved = 4, sold = 2 where {key} = $1", lot.id)  # noqa: S608  ours


# --- publishing -----------------------------------------------------------------------------------------------------


def new_lot(**changes: object) -> NewLot:
    plain: dict[str, object] = {
        "title": "Enamel pans, end of line", "category": "tableware", "region": "fr-north",
        "articles": [make_article()], "price": Price(PriceMode.UNIT, Money(1200, "EUR")), "terms": terms(),
        "cost_answer": CostAnswer.AT_OR_ABOVE_COST, "origin_declared": True,
    }  # fmt: skip
    return NewLot(**(plain | changes))  # type: ignore[arg-type]  # fields by name


async def test_a_published_lot_is_told_upwards_and_the_cost_answer_kept(db: None) -> None:
    seller = await make_person()
    lot_id = await publish_lot(by=seller.actor, lot=new_lot())
    assert await fetchval("select count(*) from pgqueuer where entrypoint = 'lot.published'") == 1
    stated = await fetchrow("select answer, occasion, person_id from cost_statement where lot_id = $1", lot_id)
    assert stated is not None
    assert tuple(stated) == ("at_or_above_cost", "publication", seller.id)
    lot = await fetchrow("select grade, rrp_minor, ask_minor, discount, country, brands from lot where id = $1", lot_id)
    assert lot is not None
    assert tuple(lot) == ("A", 40000, 12000, 70, "FR", ["Volcana"])


async def test_what_speaks_against_a_lot_is_said_all_at_once(db: None) -> None:
    seller = await make_person()
    bad = new_lot(title="x", category="nowhere", origin_declared=False, cost_answer=None, terms=terms(minimum=99))
    with pytest.raises(Several) as refusal:
        await publish_lot(by=seller.actor, lot=bad)
    assert {r.field for r in refusal.value.refusals} == {
        "title", "category", "origin_declared", "cost_answer", "minimum",
    }  # fmt: skip
    assert not await fetch("select from lot")


async def test_a_title_that_names_the_seller_is_refused(db: None) -> None:
    company = await make_company(legal_name="Quincaillerie Morvan SARL")
    seller = await make_person(company)
    with pytest.raises(ContactDetails):
        await publish_lot(by=seller.actor, lot=new_lot(title="Surplus from Quincaillerie Morvan"))
    with pytest.raises(ContactDetails):
        await publish_lot(
            by=seller.actor, lot=new_lot(articles=[make_article(title="Pan, see www.morvan.example.com")])
        )


@pytest.mark.parametrize("title", ["Pan 06 12 34 56 78", "Pan, tel 0612345678", "Pan +33 6 12 34 56 78"])
async def test_a_line_with_a_telephone_number_is_refused(db: None, title: str) -> None:
    with pytest.raises(ContactDetails):
        await publish_lot(by=(await make_person()).actor, lot=new_lot(articles=[make_article(title=title)]))


async def test_an_article_number_in_a_line_is_no_telephone_number(db: None) -> None:
    assert await publish_lot(
        by=(await make_person()).actor, lot=new_lot(articles=[make_article(title="Pan 0612345678")])
    )


async def test_a_company_not_vetted_publishes_nothing(db: None) -> None:
    seller = await make_person(await make_company(vetting=Vetting.AWAITING))
    with pytest.raises(NotAllowed):
        await publish_lot(by=seller.actor, lot=new_lot())


async def test_a_lower_price_needs_a_new_answer_on_the_purchase_price(db: None) -> None:
    lot = await make_lot()
    with pytest.raises(CostNotAnswered):
        await change_lot(by=lot.seller.actor, lot_id=lot.id, terms=terms(unit_ask=Money(1000, "EUR")))
    await change_lot(
        by=lot.seller.actor, lot_id=lot.id, terms=terms(unit_ask=Money(1000, "EUR")), cost_answer=CostAnswer.CEASING
    )
    assert await fetchval("select ask_minor from lot where id = $1", lot.id) == 10_000
    assert await fetchval("select count(*) from cost_statement where lot_id = $1", lot.id) == 2


async def test_a_cost_statement_is_never_changed(db: None) -> None:
    lot = await make_lot()
    with pytest.raises(asyncpg.RestrictViolationError):
        await execute("update cost_statement set answer = 'maker' where lot_id = $1", lot.id)


async def test_only_the_seller_changes_and_withdraws(db: None) -> None:
    lot = await make_lot()
    rival = await make_person()
    with pytest.raises(NotSeen):
        await change_lot(by=rival.actor, lot_id=lot.id, title="Mine now")
    with pytest.raises(NotSeen):
        await withdraw_lot(by=rival.actor, lot_id=lot.id)


async def test_a_lot_with_an_agreement_stays_until_the_deal_ends(db: None) -> None:
    lot = await make_lot()
    deal = uuid4()
    await reserve(lot_id=lot.id, quantity=2, agreement_id=deal)
    with pytest.raises(LotInTalks):
        await withdraw_lot(by=lot.seller.actor, lot_id=lot.id)
    await release_reservation(agreement_id=deal)
    await withdraw_lot(by=lot.seller.actor, lot_id=lot.id)
    assert (await counts(lot.id))[2] == "withdrawn"
    assert await fetchval("select count(*) from pgqueuer where entrypoint = 'lot.closed'") == 1


async def test_lots_expire_when_their_time_is_up(db: None) -> None:
    short, long = await make_lot(expires_in=timedelta(days=2)), await make_lot(expires_in=timedelta(days=20))
    with frozen(now() + timedelta(days=3)):
        assert await expire_lots() == 1
        assert await expire_lots() == 0
    assert (await counts(short.id))[2] == "expired"
    assert (await counts(long.id))[2] == "open"


# --- hiding ---------------------------------------------------------------------------------------------------------


async def test_a_lot_is_hidden_from_a_whole_legal_group_now_and_later(db: None) -> None:
    named = await make_company(legal_name="Rival Un SARL")
    sister = await make_company(legal_group_id=named.legal_group_id)
    lot = await make_lot()
    await hide_lot(by=lot.seller.actor, lot_id=lot.id, written="rival un")
    blocked = {r["company_id"] for r in await fetch("select company_id from lot_block where lot_id = $1", lot.id)}
    assert blocked == {named.id, sister.id}
    later = await make_company(legal_group_id=named.legal_group_id)
    await resolve_lot_blocks()
    assert await fetchval("select count(*) from lot_block where company_id = $1", later.id) == 1
    rival_id = await fetchval("select id from lot_rival where lot_id = $1", lot.id)
    await show_lot_again(by=lot.seller.actor, lot_id=lot.id, rival_id=rival_id)
    assert not await fetch("select from lot_block")


async def test_a_lot_is_hidden_from_a_rival_as_soon_as_it_may_trade(db: None) -> None:
    newcomer = await make_company(legal_name="Rival Deux SARL", vetting=Vetting.AWAITING)
    lot = await make_lot()
    await hide_lot(by=lot.seller.actor, lot_id=lot.id, written="rival deux")
    assert not await fetch("select from lot_block")
    await vet(by=(await make_person(role=Role.OPERATOR)).actor, company_id=newcomer.id)
    await perform("company.decided", newcomer.id)
    assert [r["company_id"] for r in await fetch("select company_id from lot_block")] == [newcomer.id]


async def test_hiding_from_a_stranger_looks_the_same(db: None) -> None:
    lot = await make_lot()
    await hide_lot(by=lot.seller.actor, lot_id=lot.id, written="Nobody We Know")
    assert not await fetch("select from lot_block")
    with pytest.raises(DomainError):
        async with transaction():
            await hide_lot(by=lot.seller.actor, lot_id=lot.id, written="  ")
