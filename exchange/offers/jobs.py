"""Talks, later: what the clock, the thresholds and the mail do."""

from uuid import UUID

from exchange.jobs import every, handles
from exchange.offers import actions


@every("* * * * *")
async def expire_overdue() -> None:
    """Every minute; after a pause of the worker it catches up in the order of the deadlines."""
    await actions.expire_overdue()


@every("* * * * *")
async def end_requests() -> None:
    """Every minute, for requests whose time is up or whose lot has nothing left."""
    await actions.end_requests()


@handles("want.closed")
async def end_requests_of_want(_: UUID) -> None:
    await actions.end_requests()


@handles("offer.made")
async def tell_receiver(offer_id: UUID) -> None:
    await actions.tell_of_offer(offer_id=offer_id)


@handles("offer.answered")
async def tell_maker(offer_id: UUID) -> None:
    await actions.tell_of_answer(offer_id=offer_id)


@handles("offers.uncovered")
async def tell_uncovered(lot_id: UUID) -> None:
    await actions.tell_uncovered(lot_id=lot_id)


@handles("offer.weighed")
async def weigh(offer_id: UUID) -> None:
    await actions.weigh_offer(offer_id=offer_id)


@handles("lot.closed")
async def close_lot(lot_id: UUID) -> None:
    await actions.close_lot(lot_id=lot_id)


@handles("company.barred")
async def end_barred(company_id: UUID) -> None:
    await actions.end_barred(company_id=company_id)


@handles("talk.assigned")
async def tell_assignee(assignment_id: UUID) -> None:
    await actions.tell_assignee(assignment_id=assignment_id)


@handles("talk.message")
async def tell_of_message(message_id: UUID) -> None:
    await actions.tell_of_message(message_id=message_id)


@handles("quote.asked")
async def tell_of_request(request_id: UUID) -> None:
    await actions.tell_of_request(request_id=request_id)


@handles("quote.answered")
async def tell_of_no_quote(request_id: UUID) -> None:
    await actions.tell_of_no_quote(request_id=request_id)
