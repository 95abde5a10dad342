"""Who else a seller's money goes to: for one lot, or for all lots; and the code by which others name oneself."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromQuery

from exchange.clock import now
from exchange.errors import N_, DomainError, NotSeen
from exchange.money import Money
from exchange.settlement.actions import receivers
from exchange.settlement.pages.shown import Form
from exchange.settlement.queries.receivers import causes, code_of, lot_for_order, order_at
from exchange.settlement.rules.receivers import PartMissing
from exchange.web.guards import owner, settling, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, render, see_other

RECEIVERS = "settlement/receivers.html"


@get("/money/receivers", guards=[owner, settling])
async def order(request: Web, lot: FromQuery[UUID | None] = None) -> Response[str]:
    """The order in force for a lot, or for all lots."""
    return render(request, RECEIVERS, **await _page(request, lot))


@post("/money/receivers", guards=[owner, settling])
async def add(request: Web, data: Form, lot: FromQuery[UUID | None] = None) -> Response[str]:
    """One more receiver; deals agreed before keep to their order."""
    page = await _page(request, lot)
    try:
        await receivers.add_receiver(
            by=viewer_of(request).actor,
            lot_id=lot,
            receiver=data.get("receiver", "") or data.get("code", ""),
            share_bp=_basis_points(data.get("share", "")),
            fixed=Money.parse(data["fixed"], page["currency"]) if data.get("fixed", "").strip() else None,
        )
    except DomainError as refusal:
        return again(request, RECEIVERS, refusal, data, **page)
    return see_other(request, _here(lot), flash=N_("Noted, for every deal agreed from now on."))


@post("/money/receivers/removal", guards=[owner, settling])
async def take_out(request: Web, data: Form, lot: FromQuery[UUID | None] = None) -> Response[str]:
    """One receiver less."""
    try:
        receiver_id = UUID(data.get("receiver", ""))
    except ValueError as e:
        raise NotSeen from e
    await receivers.take_out_receiver(by=viewer_of(request).actor, lot_id=lot, receiver_id=receiver_id)
    return see_other(request, _here(lot), flash=N_("Noted, for every deal agreed from now on."))


@post("/money/code", guards=[owner, settling])
async def make_code(request: Web) -> Response[str]:
    """A code for others; the old one ends."""
    await receivers.make_code(by=viewer_of(request).actor)
    return see_other(request, "/money/receivers", flash=N_("Give the code to whom shall pay you."))


def _here(lot: UUID | None) -> str:
    return f"/money/receivers?lot={lot}" if lot else "/money/receivers"


def _basis_points(text: str) -> int | None:
    if not text.strip():
        return None
    try:
        share = Decimal(text.strip().replace(",", ".")) * 100
    except InvalidOperation as e:
        raise PartMissing(field="share") from e
    if not share.is_finite() or share != share.to_integral_value() or not 0 < share <= 10_000:
        raise PartMissing(field="share")
    return int(share)


async def _page(request: Web, lot_id: UUID | None) -> dict[str, Any]:
    viewer = viewer_of(request)
    actor = viewer.actor
    if actor.company_id is None:
        raise NotSeen
    title, currency = await lot_for_order(actor, lot_id) if lot_id else ("", viewer.currency)
    return {
        "lot_id": lot_id,
        "title": title,
        "currency": currency,
        "order": await order_at(actor.company_id, lot_id, now()),
        "causes": await causes(),
        "code": await code_of(actor),
        "here": _here(lot_id),
    }


HANDLERS: list[Any] = [order, add, take_out, make_code]
