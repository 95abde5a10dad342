"""What happens to the rows: agreements, refusals, clocks, thresholds, masks, mail."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest

from exchange import clock
from exchange.companies.rules import SameLegalGroup, Vetting, WorkingHours
from exchange.companies.tables import CompanyBlock
from exchange.contact_details import ContactDetails
from exchange.database import execute, fetch, fetchrow, fetchval
from exchange.errors import Conflict, NotSeen
from exchange.listings.rules.lots import Incoterm
from exchange.listings.tables import LotBlock
from exchange.offers import actions
from exchange.offers.queries.inbox import Awaits, count_awaiting, inbox_of
from exchange.offers.queries.talks import negotiation_on_page, negotiation_seen_by
from exchange.offers.rules import refusals, talks, terms
from exchange.offers.rules.bids import Bid
from tests.factories import make_company, make_person
from tests.offers.stage import Stage, euros, offer_row, staged

pytestmark = pytest.mark.usefixtures("db")

OFFICE = WorkingHours(opens=time(9), closes=time(16))  # Paris; 8:00 to 15:00 UTC in winter
THURSDAY = datetime(2026, 11, 26, 10, tzinfo=UTC)


async def queued(fact: str) -> list[UUID]:
    rows = await fetch("select payload from pgqueuer where entrypoint = $1 order by id", fact)
    return [UUID(bytes=r["payload"]) for r in rows]


class TestAgreement:
    async def test_the_seller_accepts_and_the_quantity_is_reserved(self) -> None:
        stage = await staged()
        talk = await stage.offer(quantity=40)
        assert await stage.left() == 100, "offers reserve nothing"
        await stage.accept(talk, quantity=40)
        assert await stage.left() == 60
        assert await stage.state(talk) == "agreed"
        assert await queued("negotiation.agreed") == [talk]

    async def test_both_signatures_are_kept(self) -> None:
        stage = await staged()
        talk = await stage.offer()
        await stage.counter(talk, "9")
        await stage.accept(talk, "9", by=stage.buyer)
        signed = await offer_row(talk, 2)
        assert signed["person_id"] == stage.seller.id
        assert signed["answered_by"] == stage.buyer.id
        assert (signed["unit_price_minor"], signed["quantity"], signed["incoterm"]) == (900, 100, "FCA")
        assert signed["terms_version"] == talks.TERMS_VERSION

    async def test_a_changed_offer_is_not_accepted_and_nothing_moves(self) -> None:
        stage = await staged()
        talk = await stage.offer("8")
        with pytest.raises(refusals.OfferChanged):
            await stage.accept(talk, "7.99")
        assert (await stage.state(talk), await stage.left()) == ("live", 100)

    async def test_a_double_click_agrees_once(self) -> None:
        stage = await staged()
        talk = await stage.offer()
        await stage.accept(talk)
        with pytest.raises(refusals.AlreadyAgreed):
            await stage.accept(talk)
        assert await stage.left() == 0
        assert len(await queued("negotiation.agreed")) == 1

    async def test_offers_the_rest_no_longer_covers_are_closed_and_others_left_alone(self) -> None:
        stage = await staged()
        talk = await stage.offer(quantity=60)
        rival, modest = await stage.another_buyer(), await stage.another_buyer()
        too_much = await stage.offer("9", 50, by=rival)
        still_fine = await stage.offer("7", 40, by=modest)
        await stage.accept(talk, quantity=60)
        assert await stage.state(too_much) == "unavailable"
        assert await stage.state(still_fine) == "live"
        with pytest.raises(refusals.NoLongerAvailable):
            await stage.accept(too_much, "9", 50)

    async def test_those_who_lost_are_told_without_a_price(self) -> None:
        stage = await staged()
        talk, rival = await stage.offer(), await stage.another_buyer()
        await stage.offer("7", by=rival)
        await stage.accept(talk)
        (lot_id,) = await queued("offers.uncovered")
        await actions.tell_uncovered(lot_id=lot_id)
        await actions.tell_uncovered(lot_id=lot_id)  # a job may run twice
        mails = await fetch("select subject, text from mail where person_id = $1", rival.id)
        assert len(mails) == 1
        assert "8.00" not in mails[0]["text"]

    async def test_a_lot_sold_out_takes_no_more_offers(self) -> None:
        stage = await staged()
        await stage.accept(await stage.offer())
        with pytest.raises(Conflict):
            await stage.offer(by=await stage.another_buyer())

    async def test_a_lot_taken_down_closes_what_was_open(self) -> None:
        stage = await staged()
        talk = await stage.offer()
        await execute("update lot set state = 'withdrawn' where id = $1", stage.lot_id)
        for act in (stage.accept(talk), stage.counter(talk)):
            with pytest.raises(terms.LotClosed):
                await act
        await actions.close_lot(lot_id=stage.lot_id)
        assert await stage.state(talk) == "unavailable"
        with pytest.raises(terms.LotClosed):
            await stage.offer("8.50")


class TestWhoMayTalk:
    async def test_nobody_offers_for_a_lot_of_their_own_company(self) -> None:
        stage = await staged()
        with pytest.raises(refusals.OwnLot):
            await stage.offer(by=await make_person(stage.seller.company))

    async def test_companies_of_one_group_cannot_trade(self) -> None:
        stage = await staged()
        assert stage.seller.company
        sister = await make_person(await make_company(legal_group_id=stage.seller.company.legal_group_id))
        with pytest.raises(SameLegalGroup):
            await stage.offer(by=sister)

    async def test_an_unvetted_company_cannot_offer(self) -> None:
        stage = await staged()
        newcomer = await make_person(await make_company(vetting=Vetting.AWAITING))
        with pytest.raises(refusals.NotVetted):
            await stage.offer(by=newcomer)

    async def test_a_blocked_rival_meets_the_refusal_of_a_lot_that_does_not_exist(self) -> None:
        stage = await staged()
        assert stage.seller.company
        assert stage.buyer.company
        hidden = await stage.another_buyer()
        assert hidden.company
        await CompanyBlock(id=uuid4(), company_id=stage.seller.company.id, rival_id=stage.buyer.company.id).save()
        await LotBlock(id=uuid4(), lot_id=stage.lot_id, company_id=hidden.company.id).save()
        for rival in (stage.buyer, hidden):
            with pytest.raises(NotSeen) as refused:
                await stage.offer(by=rival)
            assert type(refused.value) is NotSeen

    async def test_a_block_does_not_end_a_talk_under_way_which_would_unmask_the_rival(self) -> None:
        stage = await staged()
        assert stage.seller.company
        assert stage.buyer.company
        talk = await stage.offer()
        await CompanyBlock(id=uuid4(), company_id=stage.seller.company.id, rival_id=stage.buyer.company.id).save()
        await stage.counter(talk)
        await stage.accept(talk, "9", by=stage.buyer)

    async def test_a_stranger_does_not_see_the_talk(self) -> None:
        stage = await staged()
        talk, stranger = await stage.offer(), await make_person()
        with pytest.raises(NotSeen):
            await negotiation_seen_by(stranger.actor, talk)
        for act in (stage.refuse, stage.withdraw, stage.accept, stage.counter):
            with pytest.raises(NotSeen):
                await act(talk, by=stranger)

    async def test_names_are_shown_to_both_sides_only_once_agreed(self) -> None:
        stage = await staged()
        assert stage.seller.company
        talk = await stage.offer(message="Pour notre magasin")
        for side in (stage.seller, stage.buyer):
            assert (await negotiation_on_page(side.actor, talk)).other_name is None
        await stage.accept(talk)
        seen = await negotiation_on_page(stage.buyer.actor, talk)
        assert seen.other_legal_name == stage.seller.company.legal_name

    async def test_colleagues_are_named_to_their_own_side_only(self) -> None:
        stage = await staged()
        talk = await stage.offer()
        assert (await negotiation_seen_by(stage.buyer.actor, talk)).said[0].person_name == stage.buyer.name
        assert (await negotiation_seen_by(stage.seller.actor, talk)).said[0].person_name is None


class TestWords:
    @pytest.mark.parametrize("text", ["Appelez-moi au 06 12 34 56 78", "we are %(company)s", "ask for %(person)s"])
    async def test_contact_details_and_the_writers_own_names_are_refused(self, text: str) -> None:
        stage = await staged()
        assert stage.buyer.company
        with pytest.raises(ContactDetails):
            await stage.offer(
                message=text % {"company": stage.buyer.company.trading_name, "person": "ACHILLE ACHETEUR"}
            )
        talk = await stage.offer()
        assert stage.seller.company
        with pytest.raises(ContactDetails):
            await stage.counter(
                talk, message=text % {"company": stage.seller.company.legal_name, "person": "Solene Vendeuse"}
            )

    async def test_no_refusal_picks_the_other_side_out_of_a_list_of_suspects(self) -> None:
        stage = await staged(seller=await make_company(legal_name="Sabots Réunis SARL"))
        assert stage.buyer.company
        with pytest.raises(terms.NoPrice):
            await stage.offer("0", message="Dupont Sport, SABOTS REUNIS, Solène Vendeuse")
        talk = await stage.offer(message="Dupont Sport, SABOTS REUNIS, Solène Vendeuse")
        with pytest.raises(terms.NoPrice):
            await stage.counter(talk, "0", message=f"Dupont, {stage.buyer.company.legal_name}, Achille Acheteur")

    async def test_the_copy_of_the_lot_stays_as_it_was_and_names_no_reference_nor_company(self) -> None:
        stage = await staged()
        talk = await stage.offer()
        await execute("update lot set title = 'Autre chose' where id = $1", stage.lot_id)
        assert (await negotiation_on_page(stage.buyer.actor, talk)).lot["title"].startswith("Sabots")
        content = await fetchval("select content::text from lot_copy")
        assert stage.seller.company
        assert "REF-SECRETE" not in content
        assert str(stage.seller.company.id) not in content

    async def test_talks_begun_on_one_wording_share_its_copy(self) -> None:
        stage = await staged()
        await stage.offer(quantity=10)
        await stage.offer(quantity=20, by=await stage.another_buyer())
        assert await fetchval("select count(*) from lot_copy") == 1


class TestClock:
    async def test_a_move_expires_after_two_business_days_of_its_receiver(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged(seller=await make_company(hours=OFFICE))
            talk = await stage.offer()
        assert (await offer_row(talk, 1))["expires_at"] == datetime(2026, 11, 30, 10, tzinfo=UTC)

    async def test_the_job_expires_what_is_due_at_the_instant_it_was_due(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged()
            talk = await stage.offer()
            due = (await offer_row(talk, 1))["expires_at"]
        assert isinstance(due, datetime)
        with clock.frozen(due - timedelta(seconds=1)):
            assert await actions.expire_overdue() == 0
        with clock.frozen(due + timedelta(days=1)):  # the worker was down
            assert await actions.expire_overdue() == 1
            assert await actions.expire_overdue() == 0
        row = await offer_row(talk, 1)
        assert (row["state"], row["answered_at"], row["answered_by"]) == ("expired", due, None)

    async def test_a_talk_answered_in_time_is_not_expired_by_a_late_job(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged()
            talk = await stage.offer()
        with clock.frozen(THURSDAY + timedelta(days=1)):
            await stage.counter(talk)
        with clock.frozen(THURSDAY + timedelta(days=2, hours=1)):
            assert await actions.expire_overdue() == 0
        assert await stage.state(talk) == "live"

    async def test_a_holiday_added_later_moves_no_deadline_already_given(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged()
            talk = await stage.offer()
        before = (await offer_row(talk, 1))["expires_at"]
        await execute("update company set days = '{0}'")  # now the seller works on Mondays only
        assert (await negotiation_seen_by(stage.buyer.actor, talk)).talk.moves[0].expires_at == before

    async def test_after_the_clock_ran_out_the_buyer_opens_again_and_the_old_move_counts(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged()
            talk = await stage.offer("8")
        with clock.frozen(THURSDAY + timedelta(days=10)):
            with pytest.raises(refusals.OfferExpired):
                await stage.accept(talk)
            assert await stage.offer("8.50") == talk
        assert [(await offer_row(talk, n))["state"] for n in (1, 2)] == ["expired", "live"]


class TestBelowCost:
    async def test_a_counter_below_the_answered_price_needs_the_sellers_word_and_keeps_it_private(self) -> None:
        stage = await staged()
        talk = await stage.offer("8")
        with pytest.raises(refusals.CostUnanswered):
            await actions.make_move(
                negotiation_id=talk, bid=Bid(euros("9"), 100), incoterm=Incoterm.FCA, by=stage.seller.actor
            )
        await stage.counter(talk, "9")
        kept = await fetchrow("select answer, person_id from cost_statement where occasion = 'counter'")
        assert kept is not None
        assert (kept["answer"], kept["person_id"]) == ("end_of_season", stage.seller.id)


class TestMail:
    async def test_the_receiver_is_told_once_in_their_hours_and_language(self) -> None:
        evening = datetime(2026, 11, 26, 20, tzinfo=UTC)
        with clock.frozen(evening):
            stage = await staged(seller=await make_company(hours=OFFICE))
            await execute("update person set language = 'fr' where id = $1", stage.seller.id)
            talk = await stage.offer("8", 40)
            (offer_id,) = await queued("offer.made")
            await actions.tell_of_offer(offer_id=offer_id)
            await actions.tell_of_offer(offer_id=offer_id)
        mails = await fetch("select * from mail where person_id = $1", stage.seller.id)
        assert len(mails) == 1
        assert mails[0]["due_at"] == datetime(2026, 11, 27, 8, tzinfo=UTC)
        assert f"/talks/{talk}" in mails[0]["text"]
        assert "320,00" in mails[0]["text"]
        assert "remis au transporteur (FCA)" in mails[0]["text"]
        assert stage.buyer.company
        assert stage.buyer.company.trading_name not in mails[0]["text"]

    async def test_an_offer_withdrawn_meanwhile_is_not_told(self) -> None:
        stage = await staged()
        talk = await stage.offer()
        await stage.withdraw(talk)
        (offer_id,) = await queued("offer.made")
        await actions.tell_of_offer(offer_id=offer_id)
        assert await fetchval("select count(*) from mail") == 0

    async def test_the_maker_is_told_what_became_of_the_offer(self) -> None:
        stage = await staged()
        talk = await stage.offer()
        await stage.refuse(talk)
        (offer_id,) = await queued("offer.answered")
        await actions.tell_of_answer(offer_id=offer_id)
        assert await fetchval("select count(*) from mail where person_id = $1", stage.buyer.id) == 1


class TestInbox:
    async def _three(self) -> tuple[Stage, UUID, UUID, UUID]:
        stage = await staged()
        mine = await stage.offer()
        theirs = await stage.offer("7", by=await stage.another_buyer())
        await stage.counter(theirs)
        ended = await stage.offer("6", by=await stage.another_buyer())
        await stage.refuse(ended)
        return stage, mine, theirs, ended

    async def test_what_awaits_me_comes_first_then_them_then_the_ended(self) -> None:
        stage, mine, theirs, ended = await self._three()
        inbox = await inbox_of(stage.seller.actor)
        assert [(r.id, r.awaits) for r in inbox.rows] == [
            (mine, Awaits.ME),
            (theirs, Awaits.THEM),
            (ended, Awaits.NOBODY),
        ]
        assert inbox.counts == {Awaits.ME: 1, Awaits.THEM: 1, Awaits.NOBODY: 1}

    async def test_pages_follow_each_other_without_gap_or_double(self) -> None:
        stage, mine, theirs, ended = await self._three()
        seen, after = [], None
        for _ in range(3):
            page = await inbox_of(stage.seller.actor, after=after, limit=1)
            seen.append(page.rows[0].id)
            after = page.next
        assert (seen, after) == ([mine, theirs, ended], None)
        only = await inbox_of(stage.seller.actor, show=Awaits.NOBODY)
        assert [r.id for r in only.rows] == [ended]

    async def test_a_talk_whose_time_is_up_has_ended_before_the_job_comes(self) -> None:
        with clock.frozen(THURSDAY):
            stage = await staged()
            await stage.offer()
        with clock.frozen(THURSDAY + timedelta(days=20)):
            (row,) = (await inbox_of(stage.seller.actor)).rows
            assert (row.awaits, row.state) == (Awaits.NOBODY, talks.State.EXPIRED)
            assert await count_awaiting(stage.seller.actor) == 0

    async def test_many_are_declined_at_once_and_what_changed_is_left_alone(self) -> None:
        stage, mine, theirs, ended = await self._three()
        replaced = await stage.offer("7", by=(buyer := await stage.another_buyer()))
        seen: dict[UUID, int | None] = {mine: 1, theirs: 2, ended: 1, replaced: 1}
        await stage.withdraw(replaced, by=buyer)
        await stage.offer("9", by=buyer)
        assert await actions.refuse_offers(seen=seen, by=stage.seller.actor) == 1
        assert [await stage.state(t) for t in (mine, replaced)] == ["refused", "live"], (
            "nobody has seen the better offer"
        )


async def test_the_nearest_quantities_are_named_when_one_does_not_fit() -> None:
    stage = await staged(minimum=20, multiple=12)
    with pytest.raises(terms.QuantityBetween, match="24 and 36"):
        await stage.offer(quantity=30)
