"""After the agreement: the contract, the thread of the deal, the way to the deal itself."""

from datetime import timedelta
from html import unescape
from io import BytesIO
from uuid import UUID, uuid4

import httpx
import pytest
from pypdf import PdfReader

from exchange.clock import now
from exchange.database import execute, fetch, fetchval
from exchange.errors import NotSeen
from exchange.offers import actions
from exchange.offers.queries.agreed import contract_seen_by, messages_of
from exchange.offers.rules.talks import TERMS_VERSION
from exchange.offers.rules.team import NotAgreedYet, NothingWritten
from exchange.settlement.actions.deals import open_deal
from exchange.settlement.press.sheets import of_contract
from tests.factories import MadePerson, bearer, make_company, make_lot, make_person, sign_in
from tests.offers.stage import Stage, euros, staged

pytestmark = pytest.mark.usefixtures("db")


async def _agreed(quantity: int = 40) -> tuple[Stage, UUID]:
    stage = await staged()
    await execute("update lot set unmark = true, no_warranty = true where id = $1", stage.lot_id)
    talk = await stage.offer(quantity=quantity, message="Enlèvement mardi")
    await stage.accept(talk, quantity=quantity)
    await _commits()
    return stage, talk


async def _commits() -> None:
    """What PostgreSQL does at commit, in a test that never commits."""
    await execute("set constraints all immediate")
    await execute("set constraints all deferred")


async def test_the_contract_holds_what_was_agreed_and_who_signed() -> None:
    stage, talk = await _agreed()
    contract = await contract_seen_by(stage.buyer.actor, talk)
    assert contract == await contract_seen_by(stage.seller.actor, talk), "one text for both"
    assert (contract.unit_price, contract.quantity, contract.total) == (euros("8"), 40, euros("320"))
    assert sum(line["quantity"] for line in contract.lines) == 40
    assert (contract.terms_version, contract.message) == (TERMS_VERSION, "Enlèvement mardi")
    assert contract.lot["unmark"]
    assert contract.lot["no_warranty"]
    assert stage.seller.company
    assert stage.buyer.company
    assert contract.seller.legal_name == stage.seller.company.legal_name
    assert contract.buyer.registration == stage.buyer.company.registration
    assert (contract.offered.side, contract.offered.person) == ("buyer", stage.buyer.name)
    assert (contract.accepted.side, contract.accepted.person) == ("seller", stage.seller.name)


async def test_the_contract_tells_no_secret_of_the_seller() -> None:
    stage = await staged(floor="7", auto_accept="7.50")
    talk = await stage.offer("7.60")
    await stage.accept(talk, "7.60")
    await _commits()
    text = str(await fetchval("select content from contract where negotiation_id = $1", talk))
    for secret in ("floor", "auto_accept", "cost", "seller_ref", "REF-SECRETE", "rrp", "ask"):
        assert secret not in text, secret


async def test_the_contract_holds_the_condition_it_hangs_on(client: httpx.AsyncClient) -> None:
    lot = await make_lot(quantity=100, threshold=60, expires_in=timedelta(days=20))
    stage = Stage(lot.seller, await make_person(await make_company(), language="fr"), lot.id)
    talk = await stage.offer(quantity=40)
    await execute("update lot set threshold_paid = 40 where id = $1", lot.id)
    await stage.accept(talk, quantity=40)
    await _commits()
    contract = await contract_seen_by(stage.buyer.actor, talk)
    assert contract.threshold
    assert (contract.threshold.units, contract.threshold.is_open) == (60, True)
    assert "threshold_paid" not in str(contract.lot), "how far it is belongs in no contract"
    paper = of_contract(contract, now(), language="fr", zone="Europe/Paris")
    (said,) = [block.lines for block in paper.sections if block.heading == "Condition suspensive"]
    assert "que si 60 unités en sont payées" in said[0]
    await sign_in(client, stage.buyer)
    assert "Condition suspensive" in (await client.get(f"/talks/{talk}/contract")).text
    assert "Seuil de déclenchement" in (await client.get(f"/talks/{talk}")).text


async def test_what_the_threshold_accepted_is_signed_by_who_set_it() -> None:
    stage = await staged(auto_accept="9")
    talk = await stage.offer("9.50")
    await actions.weigh_offer(offer_id=await fetchval("select id from offer where negotiation_id = $1", talk))
    await _commits()
    contract = await contract_seen_by(stage.buyer.actor, talk)
    assert (contract.accepted.side, contract.accepted.person) == ("seller", stage.seller.name)


async def test_the_contract_stays_when_everything_else_changes() -> None:
    stage, talk = await _agreed()
    before = await contract_seen_by(stage.buyer.actor, talk)
    await execute("update company set legal_name = 'Autre SARL', trading_name = 'Autre', region = 'Ailleurs'")
    await execute("update manifest_line set title = 'Autre chose'")
    await execute("update negotiation set changed_at = changed_at + interval '1 day' where id = $1", talk)
    await _commits()
    assert await contract_seen_by(stage.buyer.actor, talk) == before
    mark = await fetchval("select sha256 = sha256(convert_to(content::text, 'UTF8')) from contract")
    assert mark is True


@pytest.mark.parametrize("act", ["update contract set content = '{}'", "delete from contract"])
async def test_a_contract_is_never_changed(act: str) -> None:
    await _agreed()
    with pytest.raises(Exception, match="contract"):
        await execute(act)


async def test_nobody_else_and_nothing_unagreed_has_a_contract() -> None:
    stage, talk = await _agreed()
    with pytest.raises(NotSeen):
        await contract_seen_by((await make_person()).actor, talk)
    other = await stage.offer(quantity=10, by=await stage.another_buyer())
    await _commits()
    with pytest.raises(NotSeen):
        await contract_seen_by(stage.seller.actor, other)


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_contract_has_a_page_and_an_answer_for_programs(client: httpx.AsyncClient, language: str) -> None:
    stage, talk = await _agreed()
    reader = await make_person(stage.buyer.company, language=language)
    await sign_in(client, reader)
    page = unescape((await client.get(f"/talks/{talk}/contract")).text)
    assert stage.seller.company
    for said in (stage.seller.company.legal_name, stage.seller.name, stage.buyer.name, "Sabot 0", TERMS_VERSION):
        assert said in page
    assert ("320.00" if language == "en" else "320,00") in page
    assert f'href="/talks/{talk}/contract.pdf"' in page
    file = await client.get(f"/talks/{talk}/contract.pdf")
    assert file.headers["content-type"] == "application/pdf"
    text = " ".join(" ".join(sheet.extract_text() for sheet in PdfReader(BytesIO(file.content)).pages).split())
    assert stage.buyer.company
    for said in (stage.seller.company.legal_name, stage.buyer.company.legal_name, "Sabot 0", "Sabot 1", TERMS_VERSION):
        assert said in text, text
    for said in ("Contract of sale", "320.00") if language == "en" else ("Contrat de vente", "320,00"):
        assert said in text, text
    client.cookies.clear()
    answer = (await client.get(f"/api/v1/negotiations/{talk}/contract", headers=await bearer(reader))).json()
    assert (answer["total_minor"], answer["quantity"], answer["accepted"]["side"]) == (32000, 40, "seller")
    assert answer["mark"] in page
    stranger = await make_person()
    await sign_in(client, stranger)
    for at in (f"/talks/{talk}/contract", f"/talks/{talk}/contract.pdf", f"/talks/{uuid4()}/contract.pdf"):
        assert (await client.get(at)).status_code == 404


async def test_the_talk_leads_to_its_own_deal(client: httpx.AsyncClient) -> None:
    stage, talk = await _agreed()
    await sign_in(client, stage.buyer)
    page = (await client.get(f"/talks/{talk}")).text
    assert f"/talks/{talk}/deal" in page
    assert f"/talks/{talk}/contract" in page
    waiting = await client.get(f"/talks/{talk}/deal")
    assert waiting.headers["location"] == "/deals"
    await open_deal(talk)
    deal_id = await fetchval("select id from deal where negotiation_id = $1", talk)
    for side in (stage.buyer, stage.seller):
        await sign_in(client, side)
        assert (await client.get(f"/talks/{talk}/deal")).headers["location"] == f"/deals/{deal_id}"
        assert f"/talks/{talk}/contract" in (await client.get(f"/deals/{deal_id}")).text
    await sign_in(client, await make_person())
    for unknown in (talk, uuid4()):
        assert (await client.get(f"/talks/{unknown}/deal")).status_code == 404


async def test_two_who_agreed_write_to_each_other_with_telephone_numbers(client: httpx.AsyncClient) -> None:
    stage, talk = await _agreed()
    said = "Appelez le 06 12 34 56 78, quai 3"
    await sign_in(client, stage.buyer)
    sent = await client.post(f"/talks/{talk}/messages", data={"message": said})
    assert sent.status_code == 303
    for side, own in ((stage.buyer, True), (stage.seller, False)):
        page = await _page(client, side, f"/talks/{talk}")
        assert said in page
        part = await client.get(f"/talks/{talk}", headers={"hx-request": "true"})
        assert said in unescape(part.text), "an open page gets it"
        (message,) = await messages_of(side.actor, talk)
        assert (message.mine, message.person_name) == (own, stage.buyer.name if own else None)
    assert await messages_of((await make_person()).actor, talk) == []


async def test_an_open_page_gets_the_form_of_messages_once_and_no_typed_word_is_lost(client: httpx.AsyncClient) -> None:
    stage, talk = await _agreed()
    await sign_in(client, stage.buyer)
    waiting = await client.get(f"/talks/{talk}", headers={"hx-request": "true"})
    assert 'name="message"' in waiting.text
    for held in ("writing=true", "seen=1"):
        typing = await client.get(f"/talks/{talk}?{held}", headers={"hx-request": "true"})
        assert "<textarea" not in typing.text
    assert 'name="writing" value="true"' in (await client.get(f"/talks/{talk}")).text


async def test_no_message_before_the_agreement_and_none_of_nothing(client: httpx.AsyncClient) -> None:
    stage = await staged()
    talk = await stage.offer()
    with pytest.raises(NotAgreedYet):
        await actions.write_message(negotiation_id=talk, text="Bonjour", by=stage.buyer.actor)
    await sign_in(client, stage.buyer)
    early = await client.post(f"/talks/{talk}/messages", data={"message": "Bonjour"})
    assert early.status_code == 409
    await stage.accept(talk)
    with pytest.raises(NothingWritten):
        await actions.write_message(negotiation_id=talk, text="  ", by=stage.buyer.actor)
    with pytest.raises(NotSeen):
        await actions.write_message(negotiation_id=talk, text="x", by=(await make_person()).actor)
    long = await client.post(f"/talks/{talk}/messages", data={"message": "mot " * 600})
    assert long.status_code == 422
    assert "mot mot" in long.text


async def test_the_other_side_gets_one_mail_for_a_message_and_the_writer_none() -> None:
    stage, talk = await _agreed()
    before = await fetchval("select count(*) from mail")
    message = await actions.write_message(negotiation_id=talk, text="Quai 3 à 9 h", by=stage.buyer.actor)
    for _ in range(2):
        await actions.tell_of_message(message_id=message)
    mails = [str(dict(m)) for m in await fetch("select * from mail")]
    assert len(mails) == before + 1
    (told,) = [m for m in mails if "Quai 3 à 9 h" in m]
    assert stage.seller.email in told


async def test_programs_write_and_read_messages(client: httpx.AsyncClient) -> None:
    stage, talk = await _agreed()
    at = f"/api/v1/negotiations/{talk}/messages"
    sent = await client.post(at, headers=await bearer(stage.buyer), json={"text": "Quai 3"})
    assert [(m["by"], m["text"], m["colleague"]) for m in sent.json()] == [("me", "Quai 3", stage.buyer.name)]
    read = await client.get(at, headers=await bearer(stage.seller))
    assert [(m["by"], m["text"], m["colleague"]) for m in read.json()] == [("them", "Quai 3", None)]
    assert (await client.get(at, headers=await bearer(await make_person()))).status_code == 404


async def _page(client: httpx.AsyncClient, person: MadePerson, path: str) -> str:
    await sign_in(client, person)
    return unescape((await client.get(path)).text)
