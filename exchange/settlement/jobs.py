"""Settlement's jobs: each calls one action."""

from uuid import UUID

from exchange.jobs import every, handles
from exchange.settlement.actions import (
    cash,
    claims,
    deals,
    disputes,
    events,
    evidence,
    handover,
    operations,
    papers,
    payments,
    rates,
    receiving,
    reconcile,
    recourse,
    refunds,
    release,
    sellers,
    standing,
    thresholds,
    waiting,
)


@handles("negotiation.agreed")
async def open_deal(negotiation_id: UUID) -> None:
    await deals.open_deal(negotiation_id)


@handles("deal.due")
async def tick(deal_id: UUID) -> None:
    await deals.tick(deal_id)


@handles("threshold.due")
async def weigh(lot_id: UUID) -> None:
    await thresholds.weigh(lot_id)


@handles("deal.reminder")
async def remind(deal_id: UUID) -> None:
    await deals.remind_side(deal_id)


@handles("deal.closed")
async def take_note(deal_id: UUID) -> None:
    await standing.take_note(deal_id)


@handles("suspension.due")
async def begin_suspension(suspension_id: UUID) -> None:
    await standing.begin(suspension_id)


@handles("deal.answer_due")
async def tell_late(deal_id: UUID) -> None:
    await claims.tell_late(deal_id)


@handles("deal.release")
async def send_legs(deal_id: UUID) -> None:
    await release.release(deal_id)


@handles("stripe.operation")
async def pursue(operation_id: UUID) -> None:
    await operations.pursue(operation_id)


@handles("stripe.event")
async def handle(event_id: UUID) -> None:
    await events.handle(event_id)


@handles("payment.look")
async def look_at_payment(payment_id: UUID) -> None:
    await payments.refresh(payment_id)


@handles("refund.look")
async def look_at_refund(refund_id: UUID) -> None:
    await refunds.look_at_refund(refund_id)


@handles("cash.look")
async def look_at_cash(company_id: UUID) -> None:
    await cash.look_at_cash(company_id)


@handles("cash_return.look")
async def look_at_return(return_id: UUID) -> None:
    await cash.look_at_return(return_id)


@handles("dispute.look")
async def look_at_dispute(dispute_id: UUID) -> None:
    await disputes.look_at_dispute(dispute_id)


@handles("charge.look")
async def look_at_charge(payment_id: UUID) -> None:
    await disputes.look_at_charge(payment_id)


@handles("books.compare")
async def compare_books(deal_id: UUID) -> None:
    await reconcile.match_books()


@handles("deal.papers")
async def write_papers(deal_id: UUID) -> None:
    await papers.write_papers(deal_id)


@handles("paper.issued")
async def hand_over(paper_id: UUID) -> None:
    await handover.hand_over(paper_id)


@handles("payout_account.look")
async def look_at_account(company_id: UUID) -> None:
    await sellers.look_at_account(company_id)


@handles("payout_account.active")
async def send_parked(company_id: UUID) -> None:
    await release.release_parked(company_id)


@handles("payout_account.change")
async def change_account(row_id: UUID) -> None:
    await receiving.take_effect(row_id)


@every("*/5 * * * *")
async def poll() -> None:
    await reconcile.poll()


@every("41 4 * * *")
async def ask_debtors() -> None:
    await recourse.ask_again()


@every("53 3 * * *")
async def look_at_all_cash() -> None:
    await cash.look_at_all_cash()


@every("11 5 * * *")
async def call_about_waiting() -> None:
    await waiting.call_about_waiting()


@every("29 4 * * *")
async def write_waiting() -> None:
    await papers.write_waiting()


@every("*/5 * * * *")
async def hand_over_due() -> None:
    await handover.hand_over_due()


@every("37 5,14-19 * * *")
async def fetch_rates() -> None:
    await rates.fetch_rates()


@every("23 3 * * 1")
async def draw_bands() -> None:
    await standing.draw_bands()


@every("17 4 * * *")
async def match_books() -> None:
    await reconcile.match_books()


@every("47 4 * * *")
async def poll_payouts() -> None:
    await reconcile.poll_payouts()


@every("7 5 * * *")
async def tell_stuck() -> None:
    await reconcile.tell_stuck()


@every("23 4 * * *")
async def forget_drafts() -> None:
    await evidence.forget_drafts()
