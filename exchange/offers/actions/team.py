"""What a side does inside its own company: who looks after a talk, and notes.

Neither touches the talk's own row or its channel: the other side's list, its order, its clock and its open pages stay
as they were to the microsecond. Colleagues' open pages hear of it on a channel of their own side.
"""

from typing import Any
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.companies.actions.mail import letter, notify
from exchange.companies.rules import MailKind
from exchange.database import announce, execute, fetchval, transaction
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.offers.actions.saving import company_of
from exchange.offers.queries.talks import negotiation_seen_by
from exchange.offers.queries.team import assignment_told, inside_channel, own_side_of
from exchange.offers.rules.team import NotAColleague, written


async def assign_talk(*, negotiation_id: UUID, person_id: UUID | None, by: Actor) -> None:
    """A colleague looks after the talk from now on; None: nobody in particular. Raises NotSeen, NotAColleague."""
    async with transaction():
        side = await own_side_of(by, negotiation_id)
        if person_id not in (None, *(mate.person_id for mate in side.team)):
            raise NotAColleague(field="person")
        if person_id == (side.assignee.person_id if side.assignee else None):
            return
        if person_id is None:
            await execute(
                "delete from talk_assignment where negotiation_id = $1 and company_id = $2",
                negotiation_id,
                company_of(by),
            )
        else:
            assignment_id = uuid4()
            await execute(
                "insert into talk_assignment (id, lot_id, negotiation_id, company_id, person_id, assigned_by, "
                "assigned_at, told) select $1, lot_id, id, $3, $4, $5, $6, false from negotiation where id = $2 "
                "on conflict (negotiation_id, company_id) do update set id = excluded.id, "
                "person_id = excluded.person_id, assigned_by = excluded.assigned_by, "
                "assigned_at = excluded.assigned_at, told = false",
                assignment_id,
                negotiation_id,
                company_of(by),
                person_id,
                by.person_id,
                now(),
            )
            if person_id != by.person_id:
                await enqueue("talk.assigned", assignment_id)
        await announce(inside_channel(negotiation_id, company_of(by)), "inside.assigned", negotiation_id)
        await record(by, "talk.assigned", negotiation_id, person_id=str(person_id) if person_id else None)


async def write_note(*, negotiation_id: UUID, text: str, by: Actor) -> UUID:
    """A note for one's own colleagues. Returns it. Raises NotSeen, NothingWritten, TooMuchWritten."""
    async with transaction():
        held = await negotiation_seen_by(by, negotiation_id)
        note_id = uuid4()
        await execute(
            "insert into talk_note (id, lot_id, negotiation_id, company_id, person_id, body, written_at) "
            "values ($1, $2, $3, $4, $5, $6, $7)",
            note_id,
            held.lot_id,
            held.id,
            company_of(by),
            by.person_id,
            written(text),
            now(),
        )
        await announce(inside_channel(held.id, company_of(by)), "inside.noted", held.id)
        return note_id


async def tell_assignee(*, assignment_id: UUID) -> None:
    """Write to the colleague who got a talk, once, in their working hours; not when it went on to another since."""
    async with transaction():
        first = await fetchval(
            "update talk_assignment set told = true where id = $1 and not told returning id", assignment_id
        )
        told = await assignment_told(assignment_id) if first else None
        if told:
            await notify(told.person_id, "talk_assigned", about=assignment_id, told=told)


@letter("talk_assigned", MailKind.TEAM)
async def _still_theirs(assignment_id: UUID, _: UUID) -> dict[str, Any] | None:
    told = await assignment_told(assignment_id)
    return {"told": told} if told else None
