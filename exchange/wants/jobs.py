"""Matching and telling, later."""

from uuid import UUID

from exchange.jobs import handles
from exchange.wants import actions


@handles("lot.published")
async def match(lot_id: UUID) -> None:
    await actions.match_lot(lot_id=lot_id)


@handles("wants.matched")
async def tell(person_id: UUID) -> None:
    await actions.tell_of_matches(person_id=person_id)
