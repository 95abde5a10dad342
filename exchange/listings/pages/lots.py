"""One of a seller's own lots: terms, photos, whom it is hidden from, the end."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from exchange.errors import N_, DomainError, NotSeen
from exchange.listings.actions.blocks import hide_lot, show_lot_again
from exchange.listings.actions.lots import change_lot, donate_lot, withdraw_lot
from exchange.listings.actions.photos import add_photo, remove_photo
from exchange.listings.pages.stock_lists import term_options
from exchange.listings.queries.lots import SeenLot, lot_seen_by
from exchange.listings.rules.lots import CostAnswer
from exchange.listings.rules.photos import NotAPhoto
from exchange.listings.schemas import publication_from
from exchange.settings import settings
from exchange.web.guards import trading, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other

EDIT = "listings/edit.html"


@get("/lots/{lot_id:uuid}/terms", guards=[trading])
async def terms(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """The terms of an own lot, photos, and whom it is hidden from."""
    return render(request, EDIT, **await _edit_page(request, lot_id))


@post("/lots/{lot_id:uuid}/terms", guards=[trading])
async def change(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """New terms; talks under way keep the ones they began with."""
    raw = await request.form()
    form: dict[str, str | list[str]] = {name: str(value) for name, value in raw.items()}
    form["slots"] = [str(slot) for slot in raw.getall("slots", [])]
    try:
        lot = await _own(request, lot_id)
        answer = form.get("cost_answer")
        told = publication_from({**form, "cost_answer": answer or CostAnswer.AT_OR_ABOVE_COST.value}, lot.ask.currency)
        new = told.terms(lot.ask.currency)
        if told.amount is None:
            new = replace(new, unit_ask=lot.unit_ask)
        await change_lot(
            by=viewer_of(request).actor,
            lot_id=lot_id,
            title=told.title,
            terms=new,
            cost_answer=told.cost_answer if answer else None,
        )
    except DomainError as refusal:
        return again(request, EDIT, refusal, form, **await _edit_page(request, lot_id))
    return see_other(request, f"/lots/{lot_id}", flash=N_("The lot is changed. Talks under way keep their terms."))


@post("/lots/{lot_id:uuid}/withdrawal", guards=[trading])
async def withdraw(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """Off the market."""
    await withdraw_lot(by=viewer_of(request).actor, lot_id=lot_id)
    return see_other(request, "/lots/mine", flash=N_("The lot is off the market."))


@post("/lots/{lot_id:uuid}/donation", guards=[trading])
async def donate(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """Given away instead of sold."""
    await donate_lot(by=viewer_of(request).actor, lot_id=lot_id)
    return see_other(request, "/lots/mine", flash=N_("Noted: the lot was given away."))


@post("/lots/{lot_id:uuid}/photos", guards=[trading])
async def add_photos(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """Photos, several at once."""
    form = await request.form()
    files = [file for file in form.getall("photo", []) if isinstance(file, UploadFile)]
    try:
        await _own(request, lot_id)
        if not files:
            raise NotAPhoto(field="photo")
        for file in files:
            await add_photo(by=viewer_of(request).actor, lot_id=lot_id, content=await file.read())
    except DomainError as refusal:
        return again(request, EDIT, refusal, {}, **await _edit_page(request, lot_id))
    return see_other(
        request, f"/lots/{lot_id}/terms", flash=N_("The photos are added, without anything that names you.")
    )


@post("/lots/{lot_id:uuid}/photos/{photo_id:uuid}/removal", guards=[trading])
async def take_photo_off(request: Web, lot_id: FromPath[UUID], photo_id: FromPath[UUID]) -> Response[str]:
    """One photo less."""
    await remove_photo(by=viewer_of(request).actor, lot_id=lot_id, photo_id=photo_id)
    return see_other(request, f"/lots/{lot_id}/terms", flash=N_("The photo is removed."))


@post("/lots/{lot_id:uuid}/hidden", guards=[trading])
async def hide(request: Web, lot_id: FromPath[UUID]) -> Response[str]:
    """Hide the lot from a rival; the answer is the same for members and strangers."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        await hide_lot(by=viewer_of(request).actor, lot_id=lot_id, written=form.get("hidden_from", ""))
    except NotSeen:
        raise
    except DomainError as refusal:
        return again(request, EDIT, refusal, form, **await _edit_page(request, lot_id))
    return see_other(request, f"/lots/{lot_id}/terms", flash=N_("This lot is hidden from them, now and later."))


@post("/lots/{lot_id:uuid}/hidden/{rival_id:uuid}/removal", guards=[trading])
async def show_again(request: Web, lot_id: FromPath[UUID], rival_id: FromPath[UUID]) -> Response[str]:
    """One name less on the list."""
    await show_lot_again(by=viewer_of(request).actor, lot_id=lot_id, rival_id=rival_id)
    return see_other(request, f"/lots/{lot_id}/terms", flash=N_("The name is off the list."))


HANDLERS: list[Any] = [
    terms, change, withdraw, donate, add_photos, take_photo_off, hide, show_again,
]  # fmt: skip


async def _own(request: Web, lot_id: UUID) -> SeenLot:
    lot = await lot_seen_by(viewer_of(request).actor, lot_id, language_of(request))
    if lot.private is None:
        raise NotSeen
    return lot


async def _edit_page(request: Web, lot_id: UUID) -> dict[str, Any]:
    return {
        "lot": await _own(request, lot_id),
        "limit": settings().upload_limit,
        **term_options(language_of(request)),
    }
