"""What answers a disputed payment: looked at, handed in once, decided; with the real library against the sandbox."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.actor import Role
from exchange.database import execute, fetch, fetchval
from exchange.settlement.actions import deals, operations, rebuttals
from exchange.settlement.press.rebuttal import bundle_of
from exchange.settlement.queries.deals import any_deal
from exchange.settlement.rules.deal import NotYourMove
from exchange.settlement.rules.rebuttals import (
    MOST_WRITTEN,
    EvidenceMoved,
    EvidenceTooLate,
    Exhibit,
    HandedIn,
    NotAsked,
    TooMuchWritten,
    asks,
    ensure_asked,
    ensure_written,
)
from tests.factories import MadePerson, bearer, make_person, sign_in
from tests.settlement.conftest import Agreed
from tests.settlement.service import Service, books_agree, shipped
from tests.settlement.test_recourse import dispute, paid_deal

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
EVERY_KIND = (
    "import exchange.settlement.jobs; from exchange.settlement.actions.operations import doing_of; "
    "from exchange.settlement.rules.payments import Kind; [doing_of(kind) for kind in Kind]"
)
SOON = AT + timedelta(minutes=1)


def test_a_worker_that_has_loaded_no_page_drives_every_kind_of_operation() -> None:
    done = subprocess.run([sys.executable, "-c", EVERY_KIND], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def disputed(service: Service) -> tuple[Agreed, str, MadePerson]:
    """A deal received and paid out, then disputed; and the operator."""
    agreed = await paid_deal(service)
    await execute("update negotiation set state = 'agreed' where id = $1", agreed.negotiation_id)  # its contract
    await shipped(agreed)
    await execute(
        "insert into talk_message (id, negotiation_id, lot_id, company_id, person_id, body, written_at) "
        "values (gen_random_uuid(), $1, $2, $3, $4, 'All came well, thank you.', now())",
        agreed.negotiation_id, agreed.lot_id, agreed.buyer.actor.company_id, agreed.buyer.actor.person_id,
    )  # fmt: skip
    await deals.receive(deal_id=agreed.deal_id, by=agreed.buyer.actor)
    await service.post()
    found = await dispute(service)
    return agreed, found, await make_person(role=Role.OPERATOR)


async def hand_in(agreed: Agreed, by: MadePerson, written: str = "The buyer took delivery.") -> None:
    seen = (await bundle_of(await any_deal(agreed.deal_id))).mark
    await rebuttals.hand_in(deal_id=agreed.deal_id, written=written, seen=seen, by=by.actor)


async def at_stripe(service: Service, dispute_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await service.http.get(f"/v1/disputes/{dispute_id}")).json()
    return found


async def test_the_operator_looks_hands_in_once_and_the_bank_decides(service: Service) -> None:
    agreed, found, operator = await disputed(service)
    await sign_in(service.app, operator)
    at = f"/deals/{agreed.deal_id}"
    assert f'href="{at}/evidence"' in (await service.app.get(at)).text
    page = (await service.app.get(f"{at}/evidence")).text
    for told in ("Geodis", "G1", "Ponceuse", "Contract of sale", "Record of the deal", "The buyer confirmed"):
        assert told in page, told
    for exhibit in Exhibit:
        paper = await service.app.get(f"{at}/evidence/{exhibit.value}")
        assert paper.status_code == 200 and paper.content.startswith(b"%PDF"), exhibit
    assert (await service.app.get(f"{at}/evidence/receipts")).status_code == 404
    seen = re.findall(r'name="seen" value="(\w+)"', page)[0]
    form = {"seen": seen, "written": "winning_evidence"}
    moved = await service.app.post(f"{at}/evidence", data=form | {"seen": "0" * 32})
    assert moved.status_code == 409 and "winning_evidence" in moved.text, "what was typed is kept"
    assert (await service.app.post(f"{at}/evidence", data=form)).status_code == 303
    assert "on its way" in (await service.app.get(f"{at}/evidence")).text
    assert (await service.app.post(f"{at}/evidence", data=form)).status_code == 409

    await service.post()
    sent = await at_stripe(service, found)
    assert sent["evidence_details"]["submission_count"] == 1
    assert sent["evidence"]["shipping_carrier"] == "Geodis" and "Ponceuse" in sent["evidence"]["product_description"]
    files = {file["id"]: file for file in await service.listed("/v1/files")}
    assert {sent["evidence"][exhibit.value] for exhibit in Exhibit} == files.keys() and len(files) == len(Exhibit)
    assert {file["purpose"] for file in files.values()} == {"dispute_evidence"}
    keys = await fetch("select id, stripe_id from stripe_operation where kind like 'evidence%' and state = 'done'")
    assert len(keys) == len(Exhibit) + 1 and sent["metadata"]["operation_id"] in {str(row["id"]) for row in keys}
    assert "handed in to the buyer" in (await service.app.get(at)).text

    await service.control("clock", days=2)  # the sandbox's bank decides by the words Stripe documents
    await service.post()
    assert await fetchval("select status from dispute") == "won"
    assert await fetchval("select state from deal") == "settled"
    await books_agree()


async def test_lost_answers_upload_no_paper_twice_and_hand_in_once(service: Service) -> None:
    agreed, found, operator = await disputed(service)
    await service.control("calls", kind="error_500_after", path="/v1/files", times=3)
    await service.control("calls", kind="error_500_after", path=f"/v1/disputes/{found}", times=2)
    await hand_in(agreed, operator, "losing_evidence")
    await service.post()
    for _ in range(4):
        await execute("update stripe_operation set tried_at = tried_at - interval '1 hour'")
        for row in await fetch("select id from stripe_operation where state not in ('done', 'failed')"):
            await operations.drive(row["id"])
        await service.post()
    assert len(await service.listed("/v1/files")) == len(Exhibit)
    sent = await at_stripe(service, found)
    assert sent["evidence_details"]["submission_count"] == 1
    assert await fetchval("select state from rebuttal") == "sent"
    await service.control("clock", days=2)
    await service.post()
    assert await fetchval("select status from dispute") == "lost"
    await books_agree()


async def test_evidence_the_bank_takes_no_more_calls_the_operator(service: Service) -> None:
    agreed, found, operator = await disputed(service)
    await service.control("webhooks", hold=True)
    await service.control("verdict", dispute=found, won=False)
    await hand_in(agreed, operator)
    await service.post()
    assert await fetchval("select state from rebuttal") == "refused"
    assert "too late" in await fetchval("select why from rebuttal")
    mails = "select count(*) from mail where template = 'settlement_alarm' and person_id = $1"
    assert await fetchval(mails, operator.id) == 1


async def test_only_the_operator_and_only_what_was_seen(service: Service) -> None:
    agreed, _, operator = await disputed(service)
    with pytest.raises(NotYourMove):
        await hand_in(agreed, agreed.seller)
    seen = (await bundle_of(await any_deal(agreed.deal_id))).mark
    await execute("update talk_message set body = 'I never had it.'")
    with pytest.raises(EvidenceMoved):
        await rebuttals.hand_in(deal_id=agreed.deal_id, written="", seen=seen, by=operator.actor)
    assert await fetchval("select count(*) from stripe_operation where kind like 'evidence%'") == 0
    await sign_in(service.app, agreed.seller)
    for path in ("", *(f"/{exhibit.value}" for exhibit in Exhibit)):
        assert (await service.app.get(f"/deals/{agreed.deal_id}/evidence{path}")).status_code == 403


async def test_a_program_looks_and_hands_in_as_the_page_does(service: Service) -> None:
    agreed, found, operator = await disputed(service)
    at, door = f"/api/v1/deals/{agreed.deal_id}/evidence", await bearer(operator)
    told = (await service.app.get(at, headers=door)).json()
    assert (told["dispute"], told["asked"], told["state"]) == (found, True, None)
    assert told["texts"]["shipping_carrier"] == "Geodis"
    assert [paper["exhibit"] for paper in told["papers"]] == [exhibit.value for exhibit in Exhibit]
    paper = await service.app.get(told["papers"][0]["href"], headers=door)
    assert paper.status_code == 200 and paper.content.startswith(b"%PDF")
    seller = await bearer(agreed.seller)
    for answer in (
        await service.app.get(at, headers=seller),
        await service.app.get(told["papers"][0]["href"], headers=seller),
        await service.app.post(at, json={"seen": told["seen"]}, headers=seller),
    ):
        assert answer.status_code == 403
    for seen, status in (("0" * 32, 409), (told["seen"], 202), (told["seen"], 409)):
        answer = await service.app.post(at, json={"seen": seen, "written": "It was signed for."}, headers=door)
        assert answer.status_code == status, answer.text
    after = (await service.app.get(at, headers=door)).json()
    assert (after["asked"], after["state"]) == (False, "planned")


def test_a_bank_takes_evidence_until_its_day_and_once() -> None:
    for status in ("needs_response", "warning_needs_response"):
        assert asks(status, SOON, AT) and not asks(status, AT, AT) and not asks(status, None, AT)
        ensure_asked(status, SOON, AT, handed_in=False)
        with pytest.raises(EvidenceTooLate):
            ensure_asked(status, AT, AT, handed_in=False)
        with pytest.raises(HandedIn):
            ensure_asked(status, SOON, AT, handed_in=True)
    for status in ("under_review", "won", "lost", "warning_closed"):
        assert not asks(status, SOON, AT)
        with pytest.raises(NotAsked):
            ensure_asked(status, SOON, AT, handed_in=False)
    ensure_written("x" * MOST_WRITTEN)
    with pytest.raises(TooMuchWritten):
        ensure_written("x" * (MOST_WRITTEN + 1))
