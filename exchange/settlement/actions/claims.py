"""What is not right with a delivery: the buyer says it line by line, the seller answers, or the operator decides."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.queries import hours_of
from exchange.companies.rules import after_business_days
from exchange.database import execute, fetchrow, fetchval, transaction
from exchange.errors import N_, Conflict, Invalid
from exchange.journal.actions import record
from exchange.money import Money
from exchange.settlement.actions.moves import enter
from exchange.settlement.actions.notices import tell
from exchange.settlement.actions.release import share_out
from exchange.settlement.queries.claims import lines_of
from exchange.settlement.queries.deals import Deal, any_deal, deal_seen_by
from exchange.settlement.rules.amounts import RefundTooLarge, with_vat
from exchange.settlement.rules.claims import Claimed, ClaimState, value
from exchange.settlement.rules.deal import ANSWER_CLOCK, Move, NotYet, NotYourMove, Side, State, step


class BelowTolerance(Invalid):
    """A claim worth nothing under the lot's terms."""

    message = N_(
        "What you describe is within the tolerance agreed for this lot: nothing is due for it. "
        "Add what is missing, or confirm the receipt."
    )


class NothingOffered(Conflict):
    """There is no sum on the table to agree to."""

    message = N_("The seller has not named a sum yet.")


async def claim(*, deal_id: UUID, lines: Sequence[Claimed], said: str, by: Actor) -> None:
    """The buyer claims for these lines; what they are worth follows from the price and the manifest.

    Raises NothingClaimed, TooManyClaimed, LossOutOfRange, BelowTolerance, NotNow, NotYourMove.
    """
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        arrow = step(deal.state, Move.CLAIM, deal.side_of(by))
        sold = await lines_of(deal)
        tolerance = await fetchval("select tolerance_bp from lot where id = $1", deal.lot_id)
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
            after_business_days(at, ANSWER_CLOCK.days, hours),
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
        await enter(deal, Move.CLAIM, arrow, by)


async def answer(*, deal_id: UUID, offered: Money, text: str, by: Actor) -> None:
    """The seller names the sum, before tax, it finds right; the claim's own sum settles it.

    Raises RefundTooLarge, NotNow, NotYourMove.
    """
    async with transaction():
        deal, open_claim = await _open_claim(deal_id, by)
        if deal.side_of(by) is not Side.SELLER:
            raise NotYourMove
        wanted = Money(open_claim["wanted_minor"], deal.terms.net.currency)
        if offered.currency != wanted.currency or not 0 <= offered.minor <= wanted.minor:
            raise RefundTooLarge(field="offered", most=wanted)
        await execute(
            "update claim set state = 'answered', offered_minor = $2, answer = $3 where id = $1",
            open_claim["id"],
            offered.minor,
            text.strip()[:2000],
        )
        if offered == wanted:
            await _agree(deal, by, wanted)
            return
        await record(by, "deal.claim_answered", deal_id)
        await tell(await any_deal(deal_id), by)


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
            raise NotYet(since=f"{open_claim['escalate_from']:%Y-%m-%d %H:%M} UTC")
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
