"""A disputed payment is answered: what the deal knows goes to the buyer's bank, once, in the operator's name.

The papers are frozen with the answer, each uploaded by an operation of its own; the last one there plans the operation
that hands all of it in. A lost answer is asked for again under the same key, so nothing is handed in twice.
"""

import json
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import announce, execute, fetch, fetchrow, fetchval, transaction
from exchange.journal.actions import record
from exchange.settlement.actions import operations
from exchange.settlement.actions.disputes import take_dispute
from exchange.settlement.actions.notices import alarm
from exchange.settlement.actions.operations import Doing, Operation
from exchange.settlement.press.rebuttal import bundle_of
from exchange.settlement.queries import one
from exchange.settlement.queries.deals import Deal, any_deal, deal_seen_by
from exchange.settlement.queries.rebuttals import Contested, contested
from exchange.settlement.rules.deal import NotYourMove
from exchange.settlement.rules.payments import Kind
from exchange.settlement.rules.rebuttals import WRITTEN, EvidenceMoved, NotAsked, ensure_asked, ensure_written
from exchange.settlement.stripe_gateway import Dispute, Gateway, Refused, evidence_params


async def hand_in(*, deal_id: UUID, written: str, seen: str, by: Actor) -> None:
    """The operator answers the dispute with what it has ``seen``, by its mark, and with what it has ``written``.

    Raises NotYourMove, NotAsked, EvidenceTooLate, HandedIn, EvidenceMoved, TooMuchWritten.
    """
    if not by.is_operator:
        raise NotYourMove
    ensure_written(written)
    deal = await deal_seen_by(by, deal_id)
    await _asked(deal)
    bundle = await bundle_of(deal)
    if bundle.mark != seen:
        raise EvidenceMoved
    papers = [(exhibit, await bundle.pressed(exhibit)) for exhibit in bundle.papers]
    async with transaction():
        deal = await any_deal(deal_id, lock=True)
        dispute = await _asked(deal)
        rebuttal_id, texts = uuid4(), dict(bundle.texts) | ({WRITTEN: written.strip()} if written.strip() else {})
        await execute(
            "insert into rebuttal (id, dispute_id, deal_id, lot_id, texts, person_id, made_at, state, why) "
            "values ($1, $2, $3, $4, $5, $6, $7, 'planned', '')",
            rebuttal_id, dispute.id, deal.id, deal.lot_id, json.dumps(texts), by.person_id, now(),
        )  # fmt: skip
        for exhibit, content in papers:
            paper_id = uuid4()
            filename = f"{exhibit.file}-{paper_id.hex}.pdf"
            await execute(
                "insert into rebuttal_paper (id, rebuttal_id, deal_id, lot_id, field, filename, content) "
                "values ($1, $2, $3, $4, $5, $6, $7)",
                paper_id, rebuttal_id, deal.id, deal.lot_id, exhibit.value, filename, content,
            )  # fmt: skip
            request = {"filename": filename}
            await operations.plan(Kind.EXHIBIT, paper_id, request, deal_id=deal.id, lot_id=deal.lot_id)
        await record(by, "deal.evidence", deal.id)
        await announce(deal.channel, "deal.evidence", deal.id)


async def _asked(deal: Deal) -> Contested:
    """The dispute to be answered now. Raises NotAsked, EvidenceTooLate, HandedIn."""
    dispute = await contested(deal)
    if dispute is None:
        raise NotAsked
    ensure_asked(dispute.status, dispute.due_by, now(), handed_in=dispute.handed_in)
    return dispute


async def _upload(gateway: Gateway, operation: Operation) -> str:
    content = await fetchval("select content from rebuttal_paper where id = $1", operation.subject_id)
    return await gateway.upload_evidence(operation.id, operation.request["filename"], content)


async def _find_upload(gateway: Gateway, operation: Operation) -> str | None:
    return await gateway.find_evidence(operation.request["filename"], operation.planned_at)


async def _uploaded(operation: Operation, made: str) -> None:
    """The paper is there; with the last of them the answer is handed in."""
    rebuttal_id = await fetchval("select rebuttal_id from rebuttal_paper where id = $1", operation.subject_id)
    answer = await one(
        "select r.*, d.dispute_id as stripe_id from rebuttal r join dispute d on d.id = r.dispute_id "
        "where r.id = $1 for no key update of r",
        rebuttal_id,
    )
    await execute("update rebuttal_paper set file_id = $2 where id = $1", operation.subject_id, made)
    papers = await fetch("select field, file_id from rebuttal_paper where rebuttal_id = $1 order by field", rebuttal_id)
    if answer["state"] == "planned" and all(paper["file_id"] for paper in papers):
        evidence = json.loads(answer["texts"]) | {paper["field"]: paper["file_id"] for paper in papers}
        request = evidence_params(dispute=answer["stripe_id"], evidence=evidence)
        await operations.plan(Kind.EVIDENCE, rebuttal_id, request, deal_id=answer["deal_id"], lot_id=answer["lot_id"])


async def _upload_refused(operation: Operation, refusal: Refused) -> None:
    rebuttal_id = await fetchval("select rebuttal_id from rebuttal_paper where id = $1", operation.subject_id)
    await _refuse(operation, rebuttal_id, refusal)


async def _submit(gateway: Gateway, operation: Operation) -> Dispute:
    return await gateway.submit_evidence(operation.id, operation.request)


async def _find_submitted(gateway: Gateway, operation: Operation) -> Dispute | None:
    return await gateway.find_submitted(operation.id, operation.request["dispute"])


async def _submitted(operation: Operation, made: Dispute) -> None:
    await execute("update rebuttal set state = 'sent' where id = $1", operation.subject_id)
    await record(None, "deal.evidence_sent", operation.deal)
    await take_dispute(made)
    await announce((await any_deal(operation.deal)).channel, "deal.evidence_sent", operation.deal)


async def _submit_refused(operation: Operation, refusal: Refused) -> None:
    await _refuse(operation, operation.subject_id, refusal)


async def _refuse(operation: Operation, rebuttal_id: UUID, refusal: Refused) -> None:
    """Nothing of it reached the bank: it can be handed in anew. The operator is called once."""
    deal = await any_deal(operation.deal, lock=True)
    refused = await fetchrow(
        "update rebuttal set state = 'refused', why = $2 where id = $1 and state = 'planned' returning id",
        rebuttal_id,
        str(refusal)[:500],
    )
    if refused is not None:
        await record(None, "deal.evidence_refused", deal.id, code=refusal.stripe_code)
        await alarm("evidence_refused", deal)
        await announce(deal.channel, "deal.evidence_refused", deal.id)


operations.done_by(Kind.EXHIBIT, Doing(_upload, _find_upload, _uploaded, _upload_refused))
operations.done_by(Kind.EVIDENCE, Doing(_submit, _find_submitted, _submitted, _submit_refused))
