"""The list of one's own lots: kinds that count right, pages that hold together, the offers that wait for each."""

from collections.abc import Collection
from uuid import UUID, uuid4

import httpx
import pytest

from exchange.database import execute
from exchange.offers import actions
from exchange.offers.queries.own_lots import OwnLots, Shelf, own_lots
from exchange.offers.queries.requests import requests_to
from tests.factories import MadePerson, bearer, make_lot, make_person, sign_in
from tests.offers.stage import Stage, staged
from tests.offers.test_requests import ask, wanting
from tests.offers.test_statements import noted

pytestmark = pytest.mark.usefixtures("db")


async def _shelf(seller: MadePerson) -> dict[str, UUID]:
    """A lot of the seller's in each situation, the oldest first."""
    changes = {
        "open": "state = 'open'",
        "part sold": "state = 'part_sold', sold = 3, reserved = 2",
        "all reserved": "reserved = 10",
        "past its day": "expires_at = now() - interval '1 minute'",
        "sold out": "state = 'cleared', sold = 10",
        "withdrawn, a deal under way": "state = 'withdrawn', reserved = 1",
        "given away": "state = 'donated'",
    }
    made = {}
    for day, (name, change) in enumerate(changes.items()):
        made[name] = (await make_lot(seller, title=f"Échelles {name}")).id
        age = "published_at = timestamptz '2026-03-01' + $2 * interval '1 day'"
        await execute(f"update lot set {change}, {age} where id = $1", made[name], day)  # noqa: S608  the texts above
    return made


def _named(found: OwnLots, made: dict[str, UUID]) -> list[str]:
    names = {lot: name for name, lot in made.items()}
    return [names[row.id] for row in found.rows]


KINDS: dict[Shelf, Collection[str]] = {
    Shelf.OFFERED: ["part sold", "open"],
    Shelf.ON_SALE: ["part sold", "open"],
    Shelf.SETTLING: ["withdrawn, a deal under way", "all reserved", "part sold"],
    Shelf.ENDED: ["given away", "sold out", "past its day"],
}


async def test_each_kind_holds_its_lots_and_the_counts_and_pages_agree() -> None:
    seller, buyers = await make_person(), [await make_person() for _ in range(3)]
    made = await _shelf(seller)
    await make_lot(buyers[0], title="Échelles d'un autre")
    for name, some in (("open", buyers), ("part sold", buyers[:1])):
        stage = Stage(seller, some[0], made[name])
        talks = [await stage.offer("9", 2, by=buyer) for buyer in some]
        if name == "open":
            await stage.counter(talks[0], "11", 2)  # awaits the buyer now
    everything = await own_lots(seller.actor)
    assert _named(everything, made) == [*reversed(made)]
    assert {n: row.offers for n, row in zip(reversed(made), everything.rows, strict=True) if row.offers} == {
        "open": 2, "part sold": 1,
    }  # fmt: skip
    assert [row.state for row in everything.rows] == [
        "donated", "withdrawn", "cleared", "expired", "open", "part_sold", "open",
    ]  # fmt: skip
    for kind, names in KINDS.items():
        shown = await own_lots(seller.actor, show=kind, words="ECHELLES")
        assert _named(shown, made) == names
        assert shown.counts == {kind: len(names) for kind, names in KINDS.items()}
    for kind in (None, *Shelf):
        walked: list[UUID] = []
        after = None
        while page := await own_lots(seller.actor, show=kind, after=after, limit=2):
            walked += [row.id for row in page.rows]
            assert page.counts == everything.counts
            if (after := page.next) is None:
                break
        assert len(walked) == len(set(walked)) == (everything.counts[kind] if kind else len(made))
    assert (await own_lots(seller.actor, words="introuvable")).rows == []


async def test_prices_asked_of_the_seller_wait_beside_the_offers_on_the_page_and_for_programs(
    client: httpx.AsyncClient,
) -> None:
    stage, buyers = await staged(), [await make_person() for _ in range(2)]
    quiet = await make_lot(stage.seller)
    for buyer in buyers:
        await ask(await wanting(buyer), buyer, stage)
    await stage.offer()
    asked = await requests_to(stage.seller.actor)
    await sign_in(client, stage.seller)
    page = (await client.get("/lots/mine?show=offered")).text
    assert f'href="/requests/{asked[0].id}">2 prices are asked of you' in page
    assert str(quiet.id) not in page
    mine = (await client.get("/api/v1/lots/mine?show=offered", headers=await bearer(stage.seller))).json()
    assert [(lot["id"], lot["offers"], lot["requests"]) for lot in mine["items"]] == [(str(stage.lot_id), 1, 2)]
    assert mine["counts"] == {"offered": 1, "on_sale": 2, "settling": 0, "ended": 0}
    await actions.decline_requests(request_ids=[a.id for a in asked], by=stage.seller.actor)
    (left,) = (await own_lots(stage.seller.actor, show=Shelf.OFFERED)).rows
    assert (left.offers, left.requests, left.most_urgent_request) == (1, 0, None)
    theirs = (await client.get("/api/v1/lots/mine", headers=await bearer(buyers[0]))).json()
    assert (theirs["items"], theirs["next"]) == ([], None)


async def test_the_cursor_of_another_company_begins_again_and_tells_nothing() -> None:
    lot, other = await make_lot(), await make_lot()
    first = await own_lots(lot.seller.actor)
    for cursor in (other.id, uuid4()):
        assert await own_lots(lot.seller.actor, after=cursor) == first


async def test_the_page_is_one_statement_however_many_lots(client: httpx.AsyncClient) -> None:
    seller = await make_person()
    await sign_in(client, seller)
    await client.get("/lots/mine")
    counted = []
    for lots in (1, 6):
        for _ in range(lots):
            await make_lot(seller)
        async with noted() as sent:
            page = await client.get("/lots/mine")
        assert page.status_code == 200
        counted.append(len(sent))
    assert counted[0] == counted[1]
    assert len([sql for sql in sent if "from lot" in sql]) == 1


async def test_the_page_leads_to_the_offers_and_keeps_its_filters(client: httpx.AsyncClient) -> None:
    lot = await make_lot(title="Coupe <b> & fil")
    buyer = await make_person()
    await Stage(lot.seller, buyer, lot.id).offer("9", 2)
    await sign_in(client, lot.seller)
    page = (await client.get("/lots/mine?q=coupe&show=offered")).text
    assert "Coupe &lt;b&gt; &amp; fil" in page
    assert f'href="/lots/{lot.id}/talks">1 offer awaits you' in page
    assert 'name="show" value="offered"' in page and 'value="coupe"' in page
    assert "/lots/mine?show=ended&amp;q=coupe" in page
    assert "No lot of yours fits this" in (await client.get("/lots/mine?show=ended")).text
    assert (await client.get(f"/lots/mine?show=x&after={uuid4()}&q=%25")).status_code == 200
    await sign_in(client, buyer)
    assert str(lot.id) not in (await client.get("/lots/mine")).text
