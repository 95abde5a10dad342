"""The doors of introductions for programs."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody
from pydantic import BaseModel, ConfigDict, Field

from exchange.introductions import actions
from exchange.introductions.queries import Introduction, introduction_seen_by, introductions_of
from exchange.introductions.rules import LONGEST, SHORTEST, Answer, Parts, State
from exchange.web.guards import trading, viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]
Part = Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST)]


class IntroductionIn(BaseModel):
    """A first contact with the masked seller of a lot, in five parts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "lot_id": "a31c7c3c-9a5b-4a79-8d42-5a5bb2f3b1d1",
                "who_i_am": "A garden shop with two branches in the west.",
                "what_i_do": "We sell boots and clogs all year round.",
                "how_i_heard": "I saw your lot of clogs on the market.",
                "my_idea": "We could take your end of season each autumn.",
                "when_to_reach_me": "Best on weekday mornings, through this page.",
            }
        },
    )

    lot_id: UUID
    who_i_am: Part
    what_i_do: Part
    how_i_heard: Part
    my_idea: Part
    when_to_reach_me: Part
    gives_name: bool = Field(False, description="show your company's name at once")


class AnswerIn(BaseModel):
    """What the recipient says."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"answer": "accepted"}})

    answer: Answer


class IntroductionOut(BaseModel):
    """An introduction as one of its two sides sees it."""

    id: UUID
    lot_id: UUID
    lot_title: str
    direction: str = Field(description="`sent` or `received`")
    other: str = Field(description="a mask for this lot, or the trading name where it may be seen")
    state: State
    who_i_am: str
    what_i_do: str
    how_i_heard: str
    my_idea: str
    when_to_reach_me: str
    sent_at: datetime
    closes_at: datetime | None = Field(description="of one received: when it is closed, unanswered")


class IntroductionPage(BaseModel):
    """One page; ``next`` is the ``after`` of the following one."""

    items: list[IntroductionOut]
    next: UUID | None


@get("/", summary="Introductions sent and received")
async def index(request: Call, after: FromQuery[UUID | None] = None) -> IntroductionPage:
    viewer = viewer_of(request)
    found = await introductions_of(viewer.actor, viewer.language, after=after, limit=51)
    return IntroductionPage(items=[_out(i) for i in found[:50]], next=found[49].id if len(found) > 50 else None)


@post("/", summary="Introduce yourself to the seller of a lot")
async def send(request: Call, data: JSONBody[IntroductionIn]) -> IntroductionOut:
    viewer = viewer_of(request)
    sent = await actions.introduce(
        lot_id=data.lot_id,
        parts=Parts(data.who_i_am, data.what_i_do, data.how_i_heard, data.my_idea, data.when_to_reach_me),
        gives_name=data.gives_name,
        by=viewer.actor,
    )
    return _out(await introduction_seen_by(viewer.actor, sent, viewer.language))


@get("/{introduction_id:uuid}", summary="One introduction")
async def show(request: Call, introduction_id: FromPath[UUID]) -> IntroductionOut:
    viewer = viewer_of(request)
    return _out(await introduction_seen_by(viewer.actor, introduction_id, viewer.language))


@post("/{introduction_id:uuid}/answer", summary="Accept, decline or block")
async def answer(request: Call, introduction_id: FromPath[UUID], data: JSONBody[AnswerIn]) -> IntroductionOut:
    viewer = viewer_of(request)
    await actions.answer(introduction_id=introduction_id, answer=data.answer, by=viewer.actor)
    return _out(await introduction_seen_by(viewer.actor, introduction_id, viewer.language))


def _out(i: Introduction) -> IntroductionOut:
    return IntroductionOut(
        id=i.id,
        lot_id=i.lot_id,
        lot_title=i.lot_title,
        direction="sent" if i.is_mine else "received",
        other=i.other,
        state=i.state,
        who_i_am=i.parts.who_i_am,
        what_i_do=i.parts.what_i_do,
        how_i_heard=i.parts.how_i_heard,
        my_idea=i.parts.my_idea,
        when_to_reach_me=i.parts.when_to_reach_me,
        sent_at=i.sent_at,
        closes_at=i.closes_at,
    )


router = Router("/introductions", route_handlers=[index, send, show, answer], guards=[trading], tags=["introductions"])
