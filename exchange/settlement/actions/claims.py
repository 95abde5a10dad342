"""What is not right with a delivery: the buyer says it line by line, the seller answers, or the operator decides."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import hours_of
from exchange.database import announce, execute, fetch, fetchrow, transaction
from exchange.errors import N_, Conflict, Invalid
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settlement.actions.evidence import hand_in
from exchange.settlement.actions.moves import enter
from exchange.settlement.actions.notices import tell, tell_letter
from exchange.settlement.actions.release import share_out
from exchange.settlement.queries.claims import lines_of, tolerance_of
from exchange.settlement.queries.deals import Deal, any_deal, deal_seen_by
from exchange.settlement.rules.amounts import with_vat
from exchange.settlement.rules.claims import Claimed, ClaimState, Reason, counter, value
from exchange.settlement.rules.clocks import runs_out
from exchange.settlement.rules.deal import ANSWER_CLOCK, Move, NotYet, Side, State, step
from exchange.settlement.rules.evidence import Occasion


class BelowTolerance(Invalid):
    """A claim worth nothing under the lot's terms."""

    message = N_(
        "What you describe is within the tolerance agreed for this lot: nothing is due for it. "
        "Add what is missing, or confirm the receipt."
    )


class LowerThanBefore(Invalid):
    """An offer taken back."""

    message = N_("You have offered %(before)s already; a later answer cannot offer less.")


class WhyMissing(Invalid):
    """A claim contested without a word."""

    message = N_("Say why you find nothing due: the buyer reads it, and the operator, if it comes to that.")


class NothingOffered(Conflict):
    """There is no sum on the table to agree to."""

    message = N_("The seller has not named a sum yet.")


async def claim(*, deal_id: UUID, lines: Sequence[Claimed], said: str, by: Actor, reserves: str = "") -> None:
    """The buyer claims for these lines; what they are worth follows from the price and the manifest.

    ``reserves`` is what stands on the delivery note; the photos kept so far for the claim go with it.

    Raises NothingClaimed, TooManyClaimed, LossOutOfRange, BelowTolerance, NotNow, NotYourMove.
    """
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        arrow = step(deal.state, Move.CLAIM, deal.side_of(by))
        sold = await lines_of(deal)
        tolerance = await tolerance_of(deal)
        wanted = value(deal.terms.net, sold, lines, tolerance)
        if not wanted:
            raise BelowTolerance(field="lines")
        claim_id, at = uuid4(), now()
        hours = await hours_of(deal.seller_company_id)
        await execute(
            "insert into claim (id, deal_id, lot_id, state, said, wanted_minor, answer, opened_at, escalate_from) "
            "values ($1, $2, $3, 'open', $4, $5, '', $6, $7)",
            claim_id,
            deal_id,
            deal.lot_id,
            said.strip()[:2000],
            wanted.minor,
            at,
            runs_out(ANSWER_CLOCK, at, hours),
        )
        labels = {line.key: line.label for line in sold}
        for line in lines:
            await execute(
                "insert into claim_line (id, claim_id, lot_id, line_key, label, reason, units, loss_percent) "
                "values ($1, $2, $3, $4, $5, $6, $7, $8)",
                uuid4(),
                claim_id,
                deal.lot_id,
                line.key,
                labels[line.key][:200],
                line.reason.value,
                line.units,
                line.loss_percent,
            )
        await hand_in(deal, Side.BUYER, Occasion.CLAIM)
        if reserves.strip():
            await execute("update deal set reserves = $2 where id = $1", deal_id, reserves.strip()[:2000])
        await tell_letter(await enter(deal, Move.CLAIM, arrow, by))
        await enqueue("deal.answer_due", deal_id, at=runs_out(ANSWER_CLOCK, at, hours))


async def answer(*, deal_id: UUID, percents: Mapping[UUID, int], text: str, by: Actor) -> None:
    """The seller says, by the id of each line of the claim, which loss of value it finds right; nothing is 0.

    The buyer's own percentages settle the claim; a later answer never offers less than the one before.
    Raises PercentOutOfRange, LowerThanBefore, WhyMissing, NotNow, NotYourMove.
    """
    async with transaction():
        deal, open_claim = await _open_claim(deal_id, by)
        step(deal.state, Move.ANSWER_CLAIM, deal.side_of(by))
        rows = await fetch("select * from claim_line where claim_id = $1 order by label, reason, id", open_claim["id"])
        named = [percents.get(row["id"], 0) for row in rows]
        claimed = [Claimed(r["line_key"], Reason(r["reason"]), r["units"], r["loss_percent"]) for r in rows]
        wanted = Money(open_claim["wanted_minor"], deal.terms.net.currency)
        offered = min(counter(deal.terms.net, await lines_of(deal), claimed, named), wanted)
        if named == [row["loss_percent"] for row in rows]:
            offered = wanted
        if open_claim["offered_minor"] is not None and offered.minor < open_claim["offered_minor"]:
            raise LowerThanBefore(field="percent", before=Money(open_claim["offered_minor"], wanted.currency))
        if not offered and not text.strip():
            raise WhyMissing(field="answer")
        for row, percent in zip(rows, named, strict=True):
            await execute("update claim_line set answered_percent = $2 where id = $1", row["id"], percent)
        await execute(
            "update claim set state = 'answered', offered_minor = $2, answer = $3, answered_at = $4 where id = $1",
            open_claim["id"],
            offered.minor,
            text.strip()[:2000],
            now(),
        )
        await hand_in(deal, Side.SELLER, Occasion.ANSWER)
        if offered == wanted:
            await _agree(deal, by, wanted)
            return
        await record(by, "deal.claim_answered", deal_id)
        await announce(deal.channel, "deal.claim_answered", deal_id)
        await tell(await any_deal(deal_id), by)


async def tell_late(deal_id: UUID) -> None:
    """The seller's time to answer is over: the buyer is told that it may ask the operator. Once, if nothing came."""
    async with transaction():
        deal = await any_deal(deal_id, lock=True)
        if deal.state is State.CLAIMED and deal.claim is not None and deal.claim.late and not deal.claim.answered:
            await tell(deal, None)
            await announce(deal.channel, "deal.answer_due", deal_id)


async def agree(*, deal_id: UUID, by: Actor) -> None:
    """The seller grants what is claimed, or the buyer takes what the seller offers. Raises NothingOffered, NotNow."""
    async with transaction():
        deal, open_claim = await _open_claim(deal_id, by)
        minor = open_claim["wanted_minor" if deal.side_of(by) is Side.SELLER else "offered_minor"]
        if minor is None:
            raise NothingOffered
        await _agree(deal, by, Money(minor, deal.terms.net.currency))


async def withdraw(*, deal_id: UUID, by: Actor) -> None:
    """The buyer finds that all is right after all: the seller is paid in full. Raises NotNow, NotYourMove."""
    async with transaction():
        deal, _ = await _open_claim(deal_id, by)
        arrow = step(deal.state, Move.WITHDRAW_CLAIM, deal.side_of(by))
        await _end(deal, ClaimState.WITHDRAWN, Money(0, deal.terms.net.currency))
        await share_out(await enter(deal, Move.WITHDRAW_CLAIM, arrow, by), Money(0, deal.terms.net.currency))


async def escalate(*, deal_id: UUID, by: Actor) -> None:
    """The buyer asks the operator, once the seller's time to answer is over or its answer is in. Raises NotYet."""
    async with transaction():
        deal, open_claim = await _open_claim(deal_id, by)
        arrow = step(deal.state, Move.ESCALATE, deal.side_of(by))
        if open_claim["state"] == ClaimState.OPEN and now() < open_claim["escalate_from"]:
            raise NotYet(since=open_claim["escalate_from"])
        await enter(deal, Move.ESCALATE, arrow, by)


async def _open_claim(deal_id: UUID, by: Actor) -> tuple[Deal, asyncpg.Record]:
    deal = await deal_seen_by(by, deal_id, lock=True)
    found = await fetchrow("select * from claim where deal_id = $1 and state in ('open', 'answered')", deal_id)
    if found is None or deal.state not in {State.CLAIMED, State.OPERATOR}:
        step(deal.state, Move.WITHDRAW_CLAIM, Side.BUYER)  # raises NotNow: there is no claim to speak of
        raise NothingOffered
    return deal, found


async def _agree(deal: Deal, by: Actor, net: Money) -> None:
    arrow = step(deal.state, Move.AGREE_CLAIM, deal.side_of(by))
    await _end(deal, ClaimState.AGREED, net)
    await share_out(await enter(deal, Move.AGREE_CLAIM, arrow, by), with_vat(net, deal.terms))


async def _end(deal: Deal, state: ClaimState, net: Money) -> None:
    await execute("update claim set state = $2, settled_minor = $3 where deal_id = $1", deal.id, state.value, net.minor)
