"""What one side of a talk keeps to itself, for programs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request, get, post
from litestar.params import FromPath, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.offers import actions
from exchange.offers.queries.team import own_side_of
from exchange.web.guards import viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]


class AssignmentIn(BaseModel):
    """Who of your team looks after the talk; null for nobody in particular."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"person_id": "0a3c8a52-7f0e-4f0b-9d2c-6d6f1c1f5a10"}}
    )

    person_id: UUID | None


class NoteIn(BaseModel):
    """A note for your own company."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"text": "We can go down to 8.50 if they take all."}}
    )

    text: str


class MateOut(BaseModel):
    """A colleague of yours."""

    person_id: UUID
    name: str


class NoteOut(BaseModel):
    """A note of your own company."""

    id: UUID
    colleague: str
    text: str
    written_at: datetime


class InsideOut(BaseModel):
    """What your side of a talk keeps to itself: the other side is never shown any of it."""

    assigned_to: MateOut | None
    team: list[MateOut] = Field(description="who may look after it")
    notes: list[NoteOut] = Field(description="the latest hundred, oldest first")


@get("/{negotiation_id:uuid}/team", summary="Who of your team looks after a talk, and your notes")
async def inside(request: Call, negotiation_id: FromPath[UUID]) -> InsideOut:
    return await _inside(viewer_of(request), negotiation_id)


@post("/{negotiation_id:uuid}/assignment", summary="Give a talk to a colleague")
async def assign(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[AssignmentIn]) -> InsideOut:
    viewer = viewer_of(request)
    await actions.assign_talk(negotiation_id=negotiation_id, person_id=data.person_id, by=viewer.actor)
    return await _inside(viewer, negotiation_id)


@post("/{negotiation_id:uuid}/notes", summary="Write a note for your own company")
async def write_note(request: Call, negotiation_id: FromPath[UUID], data: JSONBody[NoteIn]) -> InsideOut:
    viewer = viewer_of(request)
    await actions.write_note(negotiation_id=negotiation_id, text=data.text, by=viewer.actor)
    return await _inside(viewer, negotiation_id)


async def _inside(viewer: Viewer, negotiation_id: UUID) -> InsideOut:
    own = await own_side_of(viewer.actor, negotiation_id)
    return InsideOut(
        assigned_to=MateOut(person_id=own.assignee.person_id, name=own.assignee.name) if own.assignee else None,
        team=[MateOut(person_id=m.person_id, name=m.name) for m in own.team],
        notes=[NoteOut(id=n.id, colleague=n.person_name, text=n.body, written_at=n.written_at) for n in own.notes],
    )
