"""The operator's books."""

from typing import Any

from litestar import Response, get, post

from exchange.errors import N_, DomainError
from exchange.settlement.actions import reconcile
from exchange.settlement.pages.shown import Form
from exchange.settlement.queries.money import last_reconciliation, trial_balance, troubles
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


async def _books() -> dict[str, Any]:
    return {
        "lines": await trial_balance(),
        "accounts": timeline.ACCOUNTS,
        "compared": await last_reconciliation(),
        "troubles": await troubles(),
    }


HANDLERS: list[Any] = [books, compare, explain]
