"""Part of a price goes straight to others, on the seller's order, frozen when a deal is agreed."""

import httpx
import pytest

from exchange.actor import Role
from exchange.companies.actions.vetting import set_cause
from exchange.companies.rules import Vetting
from exchange.database import execute, fetch, fetchval
from exchange.money import Money
from exchange.settlement.actions import deals, receivers, recourse
from exchange.settlement.queries.purse import seller_money
from exchange.settlement.queries.receivers import code_of
from exchange.settlement.rules import receivers as rules
from tests.factories import MadePerson, make_company, make_person, sign_in
from tests.settlement.conftest import Agreed, agree, onboarded, open_account, paid, work
from tests.settlement.fakes import FakeGateway

pytestmark = pytest.mark.usefixtures("committed")


async def association(name: str = "Les Ateliers solidaires") -> MadePerson:
    person = await make_person(await make_company(trading_name=name), role=Role.OWNER)
    operator = await make_person(role=Role.OPERATOR)
    assert person.company
    await set_cause(by=operator.actor, company_id=person.company.id, is_cause=True)
    return person


async def legs(agreed: Agreed) -> list[tuple[int, int | None, int | None, str]]:
    rows = await fetch(
        "select weight, fixed_minor, amount_minor, l.state from release_leg l join deal d on d.id = l.deal_id "
        "where d.negotiation_id = $1 order by rank",
        agreed.negotiation_id,
    )
    return [(row["weight"], row["fixed_minor"], row["amount_minor"], row["state"]) for row in rows]


async def test_an_association_and_a_partner_are_paid_and_one_that_cannot_be_waits_alone(
    client: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    cause = await association()
    partner = await make_person(await make_company(trading_name="Dépôt-vente Morel"), role=Role.OWNER)
    await receivers.make_code(by=partner.actor)
    code = await code_of(partner.actor)
    agreed = await agree(opened=False)
    assert cause.company

    await sign_in(client, agreed.seller)
    at = "/money/receivers"
    assert (await client.post(at, data={"receiver": str(cause.company.id), "share": "5"})).status_code == 303
    lot = f"{at}?lot={agreed.lot_id}"
    assert "As for all your lots" in (await client.get(lot)).text
    assert (await client.post(lot, data={"code": code, "fixed": "30.00"})).status_code == 303
    page = await client.get(lot)
    assert "Dépôt-vente Morel" in page.text
    assert "Les Ateliers solidaires" in page.text
    await execute("update negotiation set agreed_at = now() where id = $1", agreed.negotiation_id)
    await deals.open_deal(agreed.negotiation_id)
    agreed = await agreed.opened()
    assert await legs(agreed) == [
        (9500, None, None, "planned"),
        (500, None, None, "planned"),
        (0, 3000, None, "planned"),
    ]

    await client.post(
        "/money/receivers/removal", params={"lot": str(agreed.lot_id)}, data={"receiver": str(cause.company.id)}
    )
    assert len(await legs(agreed)) == 3, "a deal keeps to the order that stood when it was agreed"

    await onboarded(agreed, gateway)
    await open_account(partner, gateway)
    await paid(agreed, gateway)
    purse = (await seller_money(cause.actor)).purses[0]
    assert purse.held == Money(4_20, "EUR"), "5 % of 114.00 less 30.00"
    assert (await seller_money(agreed.seller.actor)).purses[0].held == Money(79_80, "EUR")
    await deals.ship(deal_id=agreed.deal_id, carrier="G", tracking="1", by=agreed.seller.actor)
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await work()
    assert [(leg[2], leg[3]) for leg in await legs(agreed)] == [(79_80, "paid"), (4_20, "parked"), (30_00, "paid")]
    told = await fetch("select template from mail where recipient = $1 order by created_at", cause.email)
    assert [row["template"] for row in told][-1] == "receiver_parked"

    for reader, sees in ((agreed.seller, True), (agreed.buyer, False)):
        await sign_in(client, reader)
        page = await client.get(f"/deals/{agreed.deal_id}")
        assert ("Dépôt-vente Morel" in page.text) is sees
    await sign_in(client, cause)
    mine = await client.get("/money")
    assert "On the order of" in mine.text
    assert "Outillage" not in mine.text, "what was sold is not the receiver's business"
    assert (await client.get(f"/deals/{agreed.deal_id}")).status_code == 404

    await open_account(cause, gateway)
    await work()
    assert await agreed.state() == "settled"
    assert sorted(t.amount.minor for t in gateway.transfers.values()) == [4_20, 30_00, 79_80]
    await sign_in(client, agreed.buyer)
    page = await client.get(f"/deals/{agreed.deal_id}")
    assert page.text.count("part was sent to the seller") == 1, "the two others are not the buyer's business"

    chief = await make_person(role=Role.OPERATOR)
    await recourse.refund_released(deal_id=agreed.deal_id, refund=Money(120_00, "EUR"), by=chief.actor)
    told = await fetch("select recipient, text from mail where template like '%\\_taken\\_back'")
    for reader, amount in ((agreed.seller, "€79.80"), (cause, "€4.20"), (partner, "€30.00")):
        (text,) = [row["text"] for row in told if row["recipient"] == reader.email]
        assert amount in text, "each its own part"
        assert ("Outillage" in text) is (reader is agreed.seller)
    page = await client.get(f"/deals/{agreed.deal_id}")
    assert page.text.count("part is taken back from the seller") == 1


async def test_nobody_learns_from_a_code_who_is_a_member(client: httpx.AsyncClient) -> None:
    seller = await make_person(role=Role.OWNER)
    stranger = await make_person(await make_company(trading_name="Rival discret"), role=Role.OWNER)
    assert stranger.company
    await sign_in(client, seller)
    for told in (stranger.company.registration, str(stranger.company.id), "AAAA-BBBB-CCCC", ""):
        answer = await client.post("/money/receivers", data={"code": told, "share": "5"})
        assert answer.status_code == 422
        assert "Nobody has this code" in answer.text
        assert "Rival discret" not in answer.text
    other = await agree()
    assert (await client.get("/money/receivers", params={"lot": str(other.lot_id)})).status_code == 404
    await sign_in(client, await make_person(seller.company))
    assert (await client.get("/money/receivers")).status_code == 403, "an owner's matter"


async def test_an_order_says_what_can_be_done(client: httpx.AsyncClient) -> None:
    cause = await association()
    assert cause.company
    seller = await make_person(role=Role.OWNER)
    await sign_in(client, seller)
    for wrong in ({"share": "76"}, {"share": "x"}, {"share": ""}, {"share": "0"}, {"fixed": "5"}, {"share": "0.001"}):
        answer = await client.post("/money/receivers", data={"receiver": str(cause.company.id), **wrong})
        assert answer.status_code == 422, wrong
    assert await fetchval("select count(*) from payout_order") == 0
    assert (
        await client.post("/money/receivers", data={"receiver": str(cause.company.id), "share": "2,5"})
    ).status_code == 303
    for door in ("/money/receivers/removal", "/money/receivers"):
        named = {"receiver": str(cause.company.id), "share": "2.5"}
        assert (await client.post(door, data=named)).status_code == 303
    assert await fetchval("select count(*) from mail where template = 'receiver_named'") == 1, "once from one seller"
    twice = await client.post("/money/receivers", data={"receiver": str(cause.company.id), "share": "1"})
    assert "in the order already" in twice.text
    one, two = rules.Part(cause.company.id, 2_500), rules.Part(seller.id, 5_001)
    with pytest.raises(rules.TooMuchShared):
        rules.ensure_order([one, two], seller=cause.id, for_all_lots=True)


async def test_who_is_not_vetted_writes_to_nobody(client: httpx.AsyncClient) -> None:
    cause = await association()
    assert cause.company
    await sign_in(client, await make_person(await make_company(vetting=Vetting.AWAITING), role=Role.OWNER))
    answer = await client.post("/money/receivers", data={"receiver": str(cause.company.id), "share": "5"})
    assert answer.status_code == 403
    assert await fetchval("select count(*) from mail where template = 'receiver_named'") == 0
