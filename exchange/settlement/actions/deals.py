"""The two sides, the operator and the clocks move a deal. Each verb: one transaction, the deal's row locked first."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import announce, execute, fetchval, transaction
from exchange.errors import N_, Invalid
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.listings.actions.reservations import release_reservation
from exchange.listings.queries.thresholds import threshold_of
from exchange.money import Money
from exchange.payable import ensure_round
from exchange.settings import settings
from exchange.settlement.actions.evidence import hand_in
from exchange.settlement.actions.moves import enter, reminder_of, start_clock
from exchange.settlement.actions.notices import remind, tell, tell_agreed, tell_letter
from exchange.settlement.actions.payments import close_pay_page
from exchange.settlement.actions.receivers import freeze_legs
from exchange.settlement.actions.release import Disputed, share_out
from exchange.settlement.queries.deals import Deal, agreement_of, any_deal, deal_seen_by
from exchange.settlement.rules import amounts, vat
from exchange.settlement.rules.amounts import RefundTooLarge
from exchange.settlement.rules.clocks import struck
from exchange.settlement.rules.deal import (
    Move,
    NotNow,
    NotYet,
    Side,
    State,
    step,
)
from exchange.settlement.rules.evidence import Occasion


class CarrierMissing(Invalid):
    """A shipment nobody could follow."""

    message = N_("Say which carrier has the goods, and its number: the buyer follows the parcel with it.")


class NoteMissing(Invalid):
    """A collection without its paper."""

    message = N_("Enter the number of the collection note, so that both sides sign the same paper.")


class NewsMissing(Invalid):
    """News of a carrier that says nothing."""

    message = N_("Enter what the carrier says: where the goods were seen last, and when.")


class ReasonsMissing(Invalid):
    """A decision nobody could understand."""

    message = N_("Say why, in a sentence both sides can follow. Both read it.")


class ProofMissing(Invalid):
    """Proof of delivery that proves nothing."""

    message = N_("Enter what the carrier's proof of delivery says: who signed, when, under which number.")


async def open_deal(negotiation_id: UUID) -> None:
    """An agreement becomes a deal awaiting payment; once, however often it is told."""
    agreed = await agreement_of(negotiation_id)
    day = agreed.agreed_at.date()
    goods = vat.of_goods(agreed.seller, agreed.buyer, day)
    on_commission = vat.of_commission(settings().exchange_country, agreed.seller, day)
    terms = amounts.terms(
        agreed.net,
        vat_bp=goods.rate_bp,
        commission_bp=settings().commission_basis_points,
        commission_vat_bp=on_commission.rate_bp,
    )
    deal_id, currency = uuid4(), terms.net.currency
    async with transaction():
        threshold = await threshold_of(agreed.lot_id, lock=True)  # it is decided before the deal is there, or with it
        opened = await fetchval(
            "insert into deal (id, negotiation_id, lot_id, seller_company_id, buyer_company_id, label, quantity, "
            "unit_price_minor, currency, net_minor, vat_regime, vat_rate_bp, vat_minor, commission_minor, "
            "commission_vat_minor, state, since, agreed_at, refund_minor, carrier, tracking, proof) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'awaiting_payment', $16, $17, "
            "0, '', '', '') on conflict (negotiation_id) do nothing returning id",
            deal_id,
            negotiation_id,
            agreed.lot_id,
            agreed.seller_company_id,
            agreed.buyer_company_id,
            agreed.label,
            agreed.quantity,
            agreed.unit_price.minor,
            currency,
            terms.net.minor,
            goods.regime.value,
            goods.rate_bp,
            terms.vat.minor,
            terms.commission.minor,
            terms.commission_vat.minor,
            now(),
            agreed.agreed_at,
        )
        if opened is None:
            return
        deal = await any_deal(deal_id, lock=True)
        due = await start_clock(deal, agreed.agreed_at)
        await execute("update deal set due_at = $2 where id = $1", deal_id, due)
        await execute(
            "insert into payment_obligation (id, deal_id, lot_id, buyer_company_id, currency, amount_minor, state, "
            "due_at) values ($1, $2, $3, $4, $5, $6, 'due', $7)",
            uuid4(),
            deal_id,
            agreed.lot_id,
            agreed.buyer_company_id,
            currency,
            terms.total.minor,
            due,
        )
        await freeze_legs(deal_id, agreed.lot_id, agreed.seller_company_id, currency, agreed.agreed_at)
        await execute(  # frozen: who changes its account later is paid for this deal where it was agreed
            "update release_leg l set destination = a.account_id from payout_account a "
            "where l.deal_id = $1 and a.company_id = l.company_id and a.standing = 'current'",
            deal_id,
        )
        if threshold is not None and threshold.is_open:
            await enqueue("threshold.due", agreed.lot_id, at=threshold.by + timedelta(seconds=1))
        await record(None, "deal.opened", deal_id)
        await tell_agreed(await any_deal(deal_id), agreed.accepted_by)


async def make_ready(*, deal_id: UUID, note: str, by: Actor) -> None:
    """The seller says the goods wait for collection under this note.

    Not while the buyer's bank disputes the payment: the buyer would be called for goods it may have its money back for.
    Raises NoteMissing, Disputed, NotNow, NotYourMove.
    """
    if not note.strip():
        raise NoteMissing(field="note")
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        step(deal.state, Move.MAKE_READY, deal.side_of(by))
        if deal.disputed:
            raise Disputed
        await _take(deal, Move.MAKE_READY, by, changes={"tracking": note.strip()[:80], "carrier": ""})


async def ship(*, deal_id: UUID, carrier: str, tracking: str, by: Actor) -> None:
    """The seller has handed the goods to a carrier. Raises CarrierMissing, NotNow, NotYourMove."""
    if not carrier.strip() or not tracking.strip():
        raise CarrierMissing(field="tracking" if carrier.strip() else "carrier")
    await _move(deal_id, Move.SHIP, by, {"carrier": carrier.strip()[:80], "tracking": tracking.strip()[:80]})


async def follow(*, deal_id: UUID, news: str, by: Actor) -> None:
    """The carrier has moved the goods, and said so: its time to deliver counts anew. Raises NewsMissing, NotNow."""
    if not news.strip():
        raise NewsMissing(field="news")
    await _move(deal_id, Move.FOLLOW, by, {"news": news.strip()[:2000]})


async def prove_delivery(*, deal_id: UUID, proof: str, by: Actor) -> None:
    """The seller shows that the carrier delivered. Raises ProofMissing, NotNow, NotYourMove."""
    if not proof.strip():
        raise ProofMissing(field="proof")
    await _move(deal_id, Move.PROVE, by, {"proof": proof.strip()[:2000]})


async def arrive(*, deal_id: UUID, by: Actor, reserves: str = "") -> None:
    """The buyer has the goods and takes the time to check them; ``reserves`` stand on the note it signed.

    Raises NotNow, NotYourMove.
    """
    async with transaction():
        deal = await _taken_in(deal_id, Move.ARRIVE, by, reserves)
        if deal.reserves:
            await tell_letter(deal)


async def receive(*, deal_id: UUID, by: Actor, reserves: str = "") -> None:
    """The buyer has checked the goods: all right, the seller is paid. Raises NotNow, NotYourMove."""
    async with transaction():
        await _taken_in(deal_id, Move.RECEIVE, by, reserves)


async def note(*, deal_id: UUID, by: Actor, reserves: str) -> None:
    """The buyer adds what stands on the note to goods that are with it already. Raises NotNow, NotYourMove."""
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        if step(deal.state, Move.CLAIM, deal.side_of(by)) and deal.state is not State.DELIVERED:
            raise NotNow
        if reserves.strip():
            await execute("update deal set reserves = $2 where id = $1", deal_id, reserves.strip()[:2000])
        await hand_in(deal, Side.BUYER, Occasion.RECEIPT)
        await record(by, "deal.noted", deal_id)
        await announce(deal.channel, "deal.noted", deal_id)


async def cancel(*, deal_id: UUID, by: Actor) -> None:
    """One side asks to call the deal off; when the other has asked too, it is. Raises NotNow, NotYourMove."""
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        side = deal.side_of(by)
        step(deal.state, Move.CANCEL, side)
        if deal.cancel_asked_by in {None, side}:
            await execute("update deal set cancel_asked_by = $2 where id = $1", deal_id, side.value)
            await record(by, "deal.cancel_asked", deal_id)
            await tell(await any_deal(deal_id), by)
            return
        await _take(deal, Move.CANCEL, by)


async def give_up(*, deal_id: UUID, by: Actor) -> None:
    """The seller cancels what the buyer never collected, from the fourteenth day on. Raises NotYet, NotNow."""
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        step(deal.state, Move.GIVE_UP, deal.side_of(by))
        if deal.due_at is not None and now() < deal.due_at:
            raise NotYet(since=deal.due_at)
        await _take(deal, Move.GIVE_UP, by)


async def decide(*, deal_id: UUID, refund: Money, reasons: str, by: Actor) -> None:
    """The operator shares out the money held: ``refund``, tax included, to the buyer, the rest as agreed.

    Both sides read the reasons. Raises RefundTooLarge, NotRound, ReasonsMissing, NotNow, NotYourMove.
    """
    async with transaction():
        deal = await deal_seen_by(by, deal_id, lock=True)
        step(deal.state, Move.DECIDE, deal.side_of(by))
        if len(reasons.strip()) < 10:
            raise ReasonsMissing(field="reasons")
        if refund.currency != deal.terms.total.currency or not 0 <= refund.minor <= deal.terms.total.minor:
            raise RefundTooLarge(field="refund", most=deal.terms.total)
        ensure_round(refund)
        await execute(
            "update claim set state = 'decided', settled_minor = $2 where deal_id = $1 and "
            "state in ('open', 'answered')",
            deal_id,
            refund.minor * deal.terms.net.minor // deal.terms.total.minor,
        )
        await _take(deal, Move.DECIDE, by, refund=refund, changes={"decision": reasons.strip()[:2000]})


async def tick(deal_id: UUID) -> None:
    """What the clock does to a deal, if one has run out by now: lapse, or call the operator. Safe at any time."""
    unpaid = await _tick(deal_id)
    if unpaid:
        await close_pay_page(deal_id)


async def _tick(deal_id: UUID) -> bool:
    """True when a pay page stands between the deal and its lapse."""
    async with transaction():
        deal = await any_deal(deal_id, lock=True)
        move = struck(deal.state, due_at=deal.due_at, alarm_at=deal.alarm_at, at=now(), threshold=deal.threshold)
        if move is None and deal.threshold and deal.threshold.is_open and deal.threshold.over(now()):
            await enqueue("threshold.due", deal.lot_id)
        if move in {Move.ALARM, Move.GO_AHEAD}:
            await _take(deal, move, None)
        if move not in {Move.LAPSE, Move.MISS}:
            return False
        if deal.state is State.AWAITING_PAYMENT and await fetchval(
            "select exists (select from payment where deal_id = $1 and state in ('open', 'processing'))", deal_id
        ):
            return True
        if deal.stands_still:
            return False  # the clock runs again when the buyer's bank has decided
        await _take(deal, move, None)
        return False


async def remind_side(deal_id: UUID) -> None:
    """The side that is to move is told that its time is nearly over, if it still is."""
    async with transaction():
        deal = await any_deal(deal_id, lock=True)
        when = await reminder_of(deal)
        overdue = deal.due_at is not None and deal.due_at <= now()
        waits = deal.stands_still or (deal.claim is not None and deal.claim.answered)
        if when is None or when > now() or overdue or waits:
            return
        await remind(deal)


async def _taken_in(deal_id: UUID, move: Move, by: Actor, reserves: str) -> Deal:
    changes = {"reserves": reserves.strip()[:2000]} if reserves.strip() else None
    return await _take(await deal_seen_by(by, deal_id, lock=True), move, by, changes=changes)


async def _move(deal_id: UUID, move: Move, by: Actor, changes: Mapping[str, str] | None = None) -> None:
    async with transaction():
        await _take(await deal_seen_by(by, deal_id, lock=True), move, by, changes=changes)


async def _take(
    deal: Deal,
    move: Move,
    by: Actor | None,
    *,
    refund: Money | None = None,
    changes: Mapping[str, str] | None = None,
) -> Deal:
    """Take the arrow ``move`` in the current transaction and do what its end demands."""
    arrow = step(deal.state, move, deal.side_of(by) if by else Side.CLOCK)
    deal = await enter(deal, move, arrow, by, changes=changes)
    if by is not None and (side := deal.side_of(by)) in {Side.BUYER, Side.SELLER}:
        await hand_in(deal, side, Occasion.RECEIPT if side is Side.BUYER else Occasion.HANDOVER)
    if arrow.to is State.CLOSING:
        whole = arrow.ending is not None and arrow.ending.refunds_all
        await share_out(deal, refund or (deal.terms.total if whole else Money(0, deal.terms.total.currency)))
    if arrow.to is State.UNPAID:
        await execute("update payment_obligation set state = 'lapsed' where deal_id = $1 and state = 'due'", deal.id)
        await release_reservation(agreement_id=deal.negotiation_id)
    return deal
