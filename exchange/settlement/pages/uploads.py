"""Photos that come with a form: kept before the form is judged, so that a refusal loses none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar.datastructures import UploadFile

from exchange.actor import Actor
from exchange.errors import DomainError, NotSeen
from exchange.settlement.actions.evidence import keep_photo, take_out
from exchange.settlement.rules.evidence import Occasion, PhotoHandedIn
from exchange.web.render import Web

LARGEST = 80 * 2**20
"""Bytes of a form with photos: a phone's pictures have three to six megabytes each."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form with photos: what was typed, and what was wrong with a photo, if anything was."""

    typed: dict[str, str]
    refusal: DomainError | None

    def ensure_photos(self) -> None:
        """Raises what was wrong with a photo."""
        if self.refusal is not None:
            raise self.refusal


async def sent_with_photos(request: Web, deal_id: UUID, occasion: Occasion, by: Actor) -> Sent:
    """Read the form and keep its photos: fields called ``photo``, or ``photo-`` and a line's key.

    Photos ticked in ``without`` are thrown away. Raises NotSeen, NotYourMove for who may not send any.
    """
    form = await request.form()
    typed = {name: str(value) for name, value in _texts(form).items()}
    refusal: DomainError | None = None
    for told in form.getall("without", []):
        try:
            await take_out(deal_id=deal_id, photo_id=UUID(str(told)), by=by)
        except (ValueError, NotSeen, PhotoHandedIn):
            continue  # thrown away already, or never a draft of theirs: nothing is lost either way
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile) or not (name == "photo" or name.startswith("photo-")):
            continue
        content = await value.read()
        if not content:
            continue  # a browser sends an empty file for a field left alone
        try:
            await keep_photo(
                deal_id=deal_id,
                occasion=occasion,
                content=content,
                by=by,
                line_key=name.removeprefix("photo").removeprefix("-")[:60] or None,
            )
        except DomainError as wrong:
            refusal = wrong
    return Sent(typed, refusal)


def _texts(form: Any) -> Mapping[str, str]:
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}
