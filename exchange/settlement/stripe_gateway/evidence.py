"""Disputes at Stripe: how one stands, and what is handed in against it."""

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.settlement.stripe_gateway.answers import Dispute, dispute_in, operation_in, plain
from exchange.settlement.stripe_gateway.refusals import answered
from exchange.settlement.stripe_gateway.requests import Params, keyed, marked

PURPOSE = "dispute_evidence"


class Disputes:
    """The part of the gateway that speaks of disputes."""

    _client: Any

    async def upload_evidence(self, key: UUID, filename: str, content: bytes) -> str:
        """The file's id. Its name is what it is found again by: a file at Stripe carries no metadata."""
        file = io.BytesIO(content)
        file.name = filename
        async with answered():
            made = await self._client.v1.files.create_async({"file": file, "purpose": PURPOSE}, keyed(key))
        return str(made.id)

    async def find_evidence(self, filename: str, since: datetime) -> str | None:
        span = {"created": {"gte": int(since.timestamp())}, "purpose": PURPOSE, "limit": 100}
        async with answered():
            pages = await self._client.v1.files.list_async(span)
            async for found in pages.auto_paging_iter():
                if found.filename == filename:
                    return str(found.id)
        return None

    async def submit_evidence(self, key: UUID, params: Params) -> Dispute:
        """Hand in what answers the dispute, for good. Raises Refused once it is decided, or too late."""
        body = marked(params, key)
        async with answered():
            made = await self._client.v1.disputes.update_async(body.pop("dispute"), body, keyed(key))
        return dispute_in(plain(made))

    async def find_submitted(self, key: UUID, dispute: str) -> Dispute | None:
        """The dispute, if it was answered by this operation."""
        return await self._dispute(dispute, lambda found: operation_in(found) == str(key))

    async def dispute(self, dispute: str) -> Dispute:
        found = await self._dispute(dispute, lambda _: True)
        if found is None:
            raise LookupError(dispute)
        return found

    async def _dispute(self, dispute: str, wanted: Callable[[Params], bool]) -> Dispute | None:
        async with answered():
            found = plain(await self._client.v1.disputes.retrieve_async(dispute))
        return dispute_in(found) if wanted(found) else None
