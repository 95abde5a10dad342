"""The operator's books."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.errors import N_, DomainError
from exchange.settlement.actions import operations, receiving, reconcile
from exchange.settlement.pages.shown import Form
from exchange.settlement.queries.money import last_reconciliation, trial_balance, troubles
from exchange.settlement.queries.purse import account_changes
from exchange.settlement.rules import timeline
from exchange.web.guards import operator, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

BOOKS = "settlement/books.html"


@get("/operator/money", guards=[operator])
async def books(request: Web) -> Response[str]:
    """Trial balance, the last comparison with Stripe, what needs a person."""
    return render(request, BOOKS, **await _books())


@post("/operator/money/comparison", guards=[operator])
async def compare(request: Web) -> Response[str]:
    """Compare the books now."""
    try:
        result = await reconcile.reconcile()
    except DomainError as refusal:
        return again(request, BOOKS, refusal, {}, **await _books())
    return see_other(
        request,
        "/operator/money",
        flash=N_("The books agree.") if result.agreed else N_("The books differ. Nothing is released meanwhile."),
        kind="done" if result.agreed else "error",
    )


@post("/operator/money/explanation", guards=[operator])
async def explain(request: Web, data: Form) -> Response[str]:
    """The operator did it by hand at the payment service: it is booked so."""
    try:
        result = await reconcile.explain(
            source=data.get("source", ""), currency=data.get("currency", ""), by=viewer_of(request).actor
        )
    except DomainError as refusal:
        return again(request, BOOKS, refusal, {}, **await _books())
    return see_other(
        request,
        "/operator/money",
        flash=N_("The books agree.") if result.agreed else N_("Booked. Other differences are left."),
    )


@post("/operator/operations/{operation_id:uuid}/renewal", guards=[operator])
async def renew(request: Web, operation_id: FromPath[UUID]) -> Response[str]:
    """The operator has made sure that a held call did nothing: it is made anew."""
    try:
        await operations.renew_held(operation_id=operation_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return again(request, BOOKS, refusal, {}, **await _books())
    return see_other(request, "/operator/money", flash=N_("Noted. It is asked for again."))


@post("/operator/account-changes/{company_id:uuid}/confirmation", guards=[operator])
async def confirm_change(request: Web, company_id: FromPath[UUID]) -> Response[str]:
    """The operator has made sure that the company itself wants its money to go elsewhere."""
    return await _changed(request, company_id, receiving.confirm_change, N_("Confirmed. The company has been told."))


@post("/operator/account-changes/{company_id:uuid}/withdrawal", guards=[operator])
async def refuse_change(request: Web, company_id: FromPath[UUID]) -> Response[str]:
    """The operator calls a change of account off."""
    return await _changed(request, company_id, receiving.call_off_change, N_("Called off. The company has been told."))


async def _changed(request: Web, company_id: UUID, verb: Any, flash: str) -> Response[str]:
    try:
        await verb(company_id=company_id, by=viewer_of(request).actor)
    except DomainError as refusal:
        return again(request, BOOKS, refusal, {}, **await _books())
    return see_other(request, "/operator/money", flash=flash)


async def _books() -> dict[str, Any]:
    return {
        "lines": await trial_balance(),
        "accounts": timeline.ACCOUNTS,
        "compared": await last_reconciliation(),
        "troubles": await troubles(),
        "changes": await account_changes(),
    }


HANDLERS: list[Any] = [books, compare, explain, renew, confirm_change, refuse_change]
