"""A company's record: what it reads of itself, and the operator's desk for those that broke their word too often."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.companies.queries import company_for_operator
from exchange.errors import N_, DomainError, NotSeen
from exchange.settlement.actions import standing
from exchange.settlement.pages.shown import Form
from exchange.settlement.queries.standing import standing_of, struck_companies
from exchange.settlement.rules.standing import BY_OPERATOR, STRIKES, StrikeReason
from exchange.web.guards import member, operator, owner, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

OWN, DESK, ONE = "settlement/standing.html", "operator/standing.html", "operator/standing_one.html"


@get("/standing", guards=[member])
async def own(request: Web) -> Response[str]:
    """What the company's deals say of it, its strikes, and what follows from them."""
    return render(request, OWN, **await _own(request))


@post("/standing/appeal", guards=[owner])
async def appeal(request: Web, data: Form) -> Response[str]:
    """The owner says why the company should not be stopped."""
    try:
        await standing.appeal(text=data.get("appeal", ""), by=viewer_of(request).actor)
    except DomainError as refusal:
        return again(request, OWN, refusal, data, **await _own(request))
    return see_other(request, "/standing", flash=N_("Your appeal is with the operator."))


@get("/operator/standing", guards=[operator])
async def desk(request: Web) -> Response[str]:
    """Companies with strikes, suspensions and appeals; those that await an answer first."""
    return render(request, DESK, companies=await struck_companies(), strikes_allowed=STRIKES)


@get("/operator/standing/{company_id:uuid}", guards=[operator])
async def one(request: Web, company_id: FromPath[UUID]) -> Response[str]:
    """One company's record, with everything a decision needs."""
    return render(request, ONE, **await _one(company_id))


@post("/operator/standing/{company_id:uuid}/strikes", guards=[operator])
async def strike(request: Web, company_id: FromPath[UUID], data: Form) -> Response[str]:
    """What the operator saw."""
    try:
        reason = StrikeReason(data.get("reason", ""))
    except ValueError as e:
        raise NotSeen from e
    return await _decided(
        request,
        company_id,
        data,
        standing.strike(company_id=company_id, reason=reason, said=data.get("said", ""), by=viewer_of(request).actor),
    )


@post("/operator/standing/{company_id:uuid}/notice", guards=[operator])
async def notice(request: Web, company_id: FromPath[UUID], data: Form) -> Response[str]:
    """The company will be stopped in fifteen days."""
    given = standing.give_notice(company_id=company_id, reasons=data.get("reasons", ""), by=viewer_of(request).actor)
    return await _decided(request, company_id, data, given)


@post("/operator/standing/{company_id:uuid}/strikes/{strike_id:uuid}/lifting", guards=[operator])
async def lift_strike(request: Web, company_id: FromPath[UUID], strike_id: FromPath[UUID], data: Form) -> Response[str]:
    """It was none, or is forgiven."""
    lifted = standing.lift_strike(strike_id=strike_id, why=data.get("why", ""), by=viewer_of(request).actor)
    return await _decided(request, company_id, data, lifted)


@post("/operator/standing/{company_id:uuid}/suspensions/{suspension_id:uuid}/answer", guards=[operator])
async def answer(request: Web, company_id: FromPath[UUID], suspension_id: FromPath[UUID], data: Form) -> Response[str]:
    """The appeal is answered."""
    answered = standing.answer_appeal(
        suspension_id=suspension_id,
        upheld=data.get("upheld") == "1",
        answer=data.get("answer", ""),
        by=viewer_of(request).actor,
    )
    return await _decided(request, company_id, data, answered)


@post("/operator/standing/{company_id:uuid}/suspensions/{suspension_id:uuid}/lifting", guards=[operator])
async def lift(request: Web, company_id: FromPath[UUID], suspension_id: FromPath[UUID], data: Form) -> Response[str]:
    """The company trades again."""
    return await _decided(
        request, company_id, data, standing.lift(suspension_id=suspension_id, by=viewer_of(request).actor)
    )


async def _decided(request: Web, company_id: UUID, data: dict[str, str], verb: Any) -> Response[str]:
    try:
        await verb
    except NotSeen:
        raise
    except DomainError as refusal:
        return again(request, ONE, refusal, data, **await _one(company_id))
    return see_other(
        request, f"/operator/standing/{company_id}", flash=N_("Noted. The company is told in its working hours.")
    )


async def _own(request: Web) -> dict[str, Any]:
    company_id = viewer_of(request).actor.company_id
    if company_id is None:
        raise NotSeen
    return {"standing": await standing_of(company_id), "strikes_allowed": STRIKES}


async def _one(company_id: UUID) -> dict[str, Any]:
    await company_for_operator(company_id)
    return {
        "standing": await standing_of(company_id),
        "strikes_allowed": STRIKES,
        "reasons": BY_OPERATOR,
    }


HANDLERS: list[Any] = [own, appeal, desk, one, strike, notice, lift_strike, answer, lift]
