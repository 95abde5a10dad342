"""Standing demand: what a want may say, which lots meet it, who learns of it, and both doors."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from exchange import clock
from exchange.clock import now
from exchange.companies.actions.mail import send_summaries
from exchange.companies.actions.wishes import choose_mail
from exchange.companies.rules import MailKind, Timing, Wishes, WorkingHours
from exchange.companies.tables import CompanyBlock
from exchange.database import execute, fetch, fetchval
from exchange.errors import NotSeen, Several
from exchange.jobs import load_handlers, perform_due
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import Incoterm
from exchange.listings.tables import Lot
from exchange.money import Money
from exchange.offers.queries.inbox import count_awaiting
from exchange.wants import actions, rules
from exchange.wants.queries import demand_for, matches_seen_by
from exchange.wants.rules import Closeness, Demand, Wanted
from tests.factories import MadePerson, bearer, make_company, make_person, sign_in
from tests.offers.stage import Stage, staged
from tests.offers.test_requests import ask

GTIN = "04006381333931"


def wanted(**more: Any) -> Wanted:
    given: dict[str, Any] = {"quantity_min": 1, "expires_at": now() + timedelta(days=30), "category": "footwear"}
    return Wanted(**given | more)


async def _want(who: MadePerson, **more: Any) -> Any:
    return await actions.open_want(wanted=wanted(**more), currency="EUR", by=who.actor)


async def _meets(stage: Stage, **more: Any) -> Closeness | None:
    want = await _want(stage.buyer, **more)
    found = await matches_seen_by(stage.buyer.actor, want, "en")
    return found[0].closeness if found else None


class TestRules:
    def test_every_fault_is_named_at_once(self) -> None:
        with pytest.raises(Several) as refused:
            rules.ensure_sound(wanted(category=None, quantity_min=5, quantity_max=4, regions=("moon",)), now())
        assert {r.field for r in refused.value.refusals} == {"category", "quantity_min", "regions"}

    def test_bar_codes_are_read_in_fourteen_digits_each_once(self) -> None:
        assert rules.codes("4006381333931, 4006381333931\n04006381333931") == (GTIN,)

    def test_a_wrong_bar_code_is_named(self) -> None:
        with pytest.raises(rules.NotABarCode, match="4006381333932"):
            rules.codes("4006381333932")

    @pytest.mark.parametrize(("count", "band"), [(0, "few"), (4, "few"), (5, "some"), (19, "some"), (20, "many")])
    def test_a_seller_learns_a_band(self, count: int, band: str) -> None:
        assert rules.demand_band(count) == band


@pytest.mark.usefixtures("db")
class TestMatching:
    async def test_by_bar_code_then_brand_then_category(self) -> None:
        stage = await staged()
        await execute("update manifest_line set gtin = $1 where position = 0", GTIN)
        assert await _meets(stage, gtins=(GTIN,), brand="Other", category=None) is Closeness.GTIN
        assert await _meets(stage, brand="SÀBOTIER", category=None) is Closeness.BRAND
        assert await _meets(stage) is Closeness.CATEGORY
        assert await _meets(stage, gtins=("04006381333948",)) is None, "a precise want is not met by a category"
        assert await _meets(stage, brand="Sabotier", category="toys-games") is None

    @pytest.mark.parametrize(
        ("more", "met"),
        [
            ({"worst_grade": Grade.A}, True),
            ({"quantity_min": 101}, False),
            ({"quantity_min": 100}, True),
            ({"regions": ("fr-south",)}, False),
            ({"regions": ("fr-south", "fr-north")}, True),
            ({"incoterms": (Incoterm.DDP,)}, False),
            ({"ceiling": Money(999, "EUR")}, False),
            ({"ceiling": Money(1000, "EUR")}, True),
        ],
    )
    async def test_what_a_want_asks_is_respected(self, more: dict[str, Any], met: bool) -> None:
        assert (await _meets(await staged(), **more) is not None) is met

    async def test_a_lot_listed_later_is_matched_and_told_in_the_days_one_summary(self) -> None:
        buyer = await make_person(await make_company())
        want = await _want(buyer)
        first, second, gone = await staged(), await staged(), await staged()
        for stage in (first, second, first, gone):
            await actions.match_lot(lot_id=stage.lot_id)
        await execute("update lot set state = 'withdrawn' where id = $1", gone.lot_id)
        with clock.frozen(clock.now() + timedelta(days=5)):
            await send_summaries()
            await send_summaries()
        mails = await fetch("select text from mail where person_id = $1", buyer.id)
        assert len(mails) == 1
        assert [str(s.lot_id) in mails[0]["text"] for s in (first, second, gone)] == [True, True, False]
        assert first.seller.company
        assert first.seller.company.trading_name not in mails[0]["text"]
        assert len(await matches_seen_by(buyer.actor, want, "en")) == 2

    async def test_what_a_mail_has_no_room_for_or_is_too_dear_that_day_is_told_by_the_next(self) -> None:
        buyer, stage = await make_person(await make_company()), await staged()
        want = await _want(buyer, ceiling=Money(999, "EUR"))
        (like,) = await Lot.select().where(Lot.id == stage.lot_id)
        asks = [1000, *21 * [900]]  # twenty-two more like it, one of them too dear
        await Lot.insert(
            *(Lot(**like | {"id": uuid4(), "unit_ask_minor": ask, "ask_minor": 100 * ask}) for ask in asks)
        )
        await execute(
            "insert into want_match (id, want_id, lot_id, closeness, found_at) "
            "select gen_random_uuid(), $1, id, 'category', $2 from lot where id <> $3", want, now(), stage.lot_id,
        )  # fmt: skip
        await choose_mail(by=buyer.actor, wishes=Wishes({MailKind.WANTS: Timing.NOW}))
        with clock.frozen(datetime(2026, 11, 23, 10, tzinfo=UTC)):
            for _ in range(2):
                await actions.tell_of_matches(person_id=buyer.id)
            await execute("update lot set unit_ask_minor = 900, ask_minor = 90000")
            await actions.tell_of_matches(person_id=buyer.id)
        mails = await fetch("select text from mail order by created_at, id")
        found = [set(re.findall(r"/lots/(\S+)", m["text"])) for m in mails]
        assert sorted(len(lots) for lots in found) == [1, 1, 20]
        assert len(set.union(*found)) == 22, "each once"
        assert ["1 more lot meets" in m["text"] for m in mails].count(True) == 1
        assert all("/wants\n" in m["text"] for m in mails)

    @pytest.mark.parametrize(("timing", "told"), [(Timing.NOW, 1), (Timing.NEVER, 0)])
    async def test_who_chose_it_is_told_at_once_or_not_at_all(self, timing: Timing, told: int) -> None:
        buyer = await make_person(await make_company())
        await choose_mail(by=buyer.actor, wishes=Wishes({MailKind.WANTS: timing}))
        await _want(buyer)
        await actions.match_lot(lot_id=(await staged()).lot_id)
        jobs = await fetchval("select count(*) from pgqueuer where entrypoint = 'wants.matched'")
        for _ in range(2):
            await actions.tell_of_matches(person_id=buyer.id)
        assert (jobs, await fetchval("select count(*) from mail where person_id = $1", buyer.id)) == (told, told)

    async def test_a_want_that_is_closed_ends_what_it_asked_sellers_for(self) -> None:
        stage = await staged()
        want = await _want(stage.buyer)
        await ask(want, stage.buyer, stage)
        await actions.close_want(want_id=want, by=stage.buyer.actor)
        await execute("delete from pgqueuer where entrypoint <> 'want.closed'")
        load_handlers()
        await perform_due()
        assert await fetchval("select state from quote_request") == "closed"
        assert await count_awaiting(stage.seller.actor) == 0

    async def test_finds_met_after_hours_wait_however_often_and_are_told(self) -> None:
        buyer = await make_person(await make_company(hours=WorkingHours()))
        await choose_mail(by=buyer.actor, wishes=Wishes({MailKind.WANTS: Timing.NOW}))
        evening, next_evening = (datetime(2026, 11, day, 22, tzinfo=UTC) for day in (23, 24))
        with clock.frozen(evening):
            await _want(buyer)
            await actions.match_lot(lot_id=(await staged()).lot_id)
        for at in (evening, evening, next_evening, next_evening + timedelta(hours=11)):
            await execute("delete from pgqueuer where status = 'picked'")  # the run before came to its end
            assert await fetchval(
                "update pgqueuer set status = 'picked' where entrypoint = 'wants.matched' returning id"
            )
            with clock.frozen(at):  # while the job itself is still on the list
                await actions.tell_of_matches(person_id=buyer.id)
        assert await fetchval("select count(*) from mail where person_id = $1", buyer.id) == 1

    async def test_a_hidden_lot_matches_nothing_and_a_lot_hidden_later_vanishes(self) -> None:
        stage = await staged()
        assert stage.seller.company
        assert stage.buyer.company
        want = await _want(stage.buyer)
        assert len(await matches_seen_by(stage.buyer.actor, want, "en")) == 1
        await CompanyBlock(id=uuid4(), company_id=stage.seller.company.id, rival_id=stage.buyer.company.id).save()
        assert await matches_seen_by(stage.buyer.actor, want, "en") == []
        assert await _meets(stage) is None

    async def test_ones_own_group_matches_nothing(self) -> None:
        stage = await staged()
        assert stage.seller.company
        sister = await make_person(await make_company(legal_group_id=stage.seller.company.legal_group_id))
        want = await _want(sister)
        assert await matches_seen_by(sister.actor, want, "en") == []

    async def test_the_seller_learns_a_band_and_a_stranger_nothing(self) -> None:
        stage = await staged()
        buyers = [await make_person() for _ in range(6)]
        for buyer in buyers:
            await _want(buyer, ceiling=Money(1, "EUR"))
        for barring in ("vetting = 'stopped'", "legal_group_id = (select legal_group_id from company where id = $2)"):
            assert await demand_for(stage.seller.actor, stage.lot_id) is Demand.SOME
            await execute(f"update company set {barring} where id = $1 and $2::uuid is not null",  # noqa: S608
                          buyers.pop().actor.company_id, stage.seller.actor.company_id)  # fmt: skip
        assert await demand_for(stage.seller.actor, stage.lot_id) is Demand.FEW
        for _ in range(5):
            await _want(buyers[0])
        assert await demand_for(stage.seller.actor, stage.lot_id) is Demand.FEW, "wants of one group count once"
        with pytest.raises(NotSeen):
            await demand_for(stage.buyer.actor, stage.lot_id)

    async def test_a_closed_or_expired_want_finds_nothing_more(self) -> None:
        buyer = await make_person()
        closed = await _want(buyer)
        await actions.close_want(want_id=closed, by=buyer.actor)
        with pytest.raises(rules.WantClosed):
            await actions.close_want(want_id=closed, by=buyer.actor)
        expiring = await _want(buyer, expires_at=now() + timedelta(days=2))
        with clock.frozen(now() + timedelta(days=3)):
            stage = await staged()
            await actions.match_lot(lot_id=stage.lot_id)
        assert await fetchval("select count(*) from want_match") == 0
        assert expiring != closed


@pytest.mark.usefixtures("db")
class TestDoors:
    FORM = {"category": "footwear", "quantity_min": "10", "ceiling": "12,50", "regions": ["fr-north", "fr-south"]}  # noqa: RUF012

    async def test_a_want_is_put_on_file_seen_and_closed(self, client: httpx.AsyncClient) -> None:
        stage = await staged()
        await sign_in(client, stage.buyer)
        assert (await client.get("/wants")).status_code == 200
        assert (await client.get("/wants/new")).status_code == 200
        day = (now() + timedelta(days=40)).date().isoformat()
        made = await client.post("/wants", data=self.FORM | {"expires_on": day})
        assert made.status_code == 303, made.text
        page = await client.get(made.headers["location"])
        assert str(stage.lot_id) in page.text
        assert stage.seller.company
        assert stage.seller.company.trading_name not in page.text
        assert (await client.post(f"{made.headers['location']}/closure")).status_code == 303
        assert (await client.get("/wants")).status_code == 200

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"expires_on": "yesterday"}, "expires_on"),
            ({"gtins": "123"}, "gtins"),
            ({"ceiling": "cheap"}, "ceiling"),
            ({"quantity_min": "-1"}, "quantity_min"),
            ({"category": ""}, "category"),
        ],
    )
    async def test_a_refused_form_keeps_what_was_typed(
        self, client: httpx.AsyncClient, wrong: dict[str, str], field: str
    ) -> None:
        await sign_in(client, await make_person())
        day = (now() + timedelta(days=40)).date().isoformat()
        answer = await client.post("/wants", data=self.FORM | {"expires_on": day} | wrong)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert field in answer.text
        assert await fetchval("select count(*) from want") == 0

    async def test_a_rival_sees_no_want_of_others(self, client: httpx.AsyncClient) -> None:
        buyer, rival = await make_person(), await make_person()
        want = await _want(buyer)
        await sign_in(client, rival)
        assert (await client.get(f"/wants/{want}")).status_code == 404
        assert (await client.post(f"/wants/{want}/closure")).status_code == 404
        assert str(want) not in (await client.get("/wants")).text
        token = await bearer(rival)
        assert (await client.get(f"/api/v1/wants/{want}", headers=token)).status_code == 404
        assert (await client.get("/api/v1/wants", headers=token)).json()["items"] == []

    async def test_the_api_opens_lists_and_closes(self, client: httpx.AsyncClient) -> None:
        stage = await staged()
        token = await bearer(stage.buyer)
        body = {"brand": "Sabotier", "expires_at": (now() + timedelta(days=9)).isoformat(), "price_ceiling_minor": 2000}
        made = await client.post("/api/v1/wants", json=body, headers=token)
        assert made.status_code == 201, made.text
        assert [m["closeness"] for m in made.json()["matches"]] == ["brand"]
        listed = (await client.get("/api/v1/wants", headers=token)).json()
        assert listed["items"][0]["lots"] == 1
        closed = await client.post(f"/api/v1/wants/{made.json()['id']}/closure", headers=token)
        assert closed.json()["open"] is False
        refused = await client.post("/api/v1/wants", json=body | {"gtins": ["123"]}, headers=token)
        assert refused.json()["code"] == "not_a_bar_code"
