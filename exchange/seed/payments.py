"""The payment sandbox as a buyer's browser and a player of the past meet it: over HTTP, by its own doors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

import httpx
from httpx import codes

from exchange.actor import Actor
from exchange.database import fetchval
from exchange.settings import settings
from exchange.settlement.actions import payments, sellers
from exchange.settlement.actions.reconcile import match_books

ACCEPTED = "card:4242424242424242"
_SETTLES = timedelta(seconds=5)
"""Virtual time until a charge knows its fee."""


class PaymentSandbox:
    """Where the money of the deals under way lies; without one, its clock and doors do nothing."""

    def __init__(self, http: httpx.AsyncClient | None) -> None:
        self._http = http

    @staticmethod
    def configured() -> bool:
        """Whether the payment service is our sandbox: the seed never touches another."""
        return settings().stripe_api_base is not None

    @classmethod
    @asynccontextmanager
    async def opened(cls, *, begin: datetime, fresh: bool) -> AsyncIterator[Self]:
        """The sandbox; a fresh one begins its life at ``begin``."""
        base = settings().stripe_api_base
        if base is None:
            yield cls(None)
            return
        async with httpx.AsyncClient(base_url=base, timeout=30) as http:
            sandbox = cls(http)
            if fresh:
                await sandbox._begin(begin)
            yield sandbox

    async def reach(self, at: datetime) -> None:
        """Let the sandbox's clock come to ``at``; it never goes back."""
        if self._http is None:
            return
        now = (await self._http.get("/_sandbox/clock")).raise_for_status().json()["now"]
        if (ahead := at.timestamp() - now) > 0:
            await self._control("clock", seconds=ahead)

    async def onboard(self, owner: Actor) -> None:
        """The company opens its account and says who it is."""
        link = await sellers.start_onboarding(by=owner)
        await self._visit(link, outcome="complete")
        if owner.company_id is not None:
            await sellers.look_at_account(owner.company_id)

    async def pay(self, deal_id: UUID, buyer: Actor) -> None:
        """The buyer pays by card and comes back."""
        page = await payments.pay(deal_id=deal_id, by=buyer)
        await self._visit(page, outcome=ACCEPTED)
        await self._control("clock", seconds=_SETTLES.total_seconds())
        session = await fetchval(
            "select session_id from payment where deal_id = $1 order by created_at desc limit 1", deal_id
        )
        await payments.come_back(deal_id=deal_id, session_id=session, by=buyer)

    async def match_books(self) -> None:
        """The first comparison of the books, as every night makes one."""
        if self._http is not None:
            await match_books()

    async def _visit(self, page: str, **form: str) -> None:
        """Open a page and send its form, as a browser does; where it leads to, nobody listens yet."""
        if self._http is not None:
            (await self._http.get(page)).raise_for_status()
            answer = await self._http.post(page, data=form)
            if not answer.is_redirect:
                answer.raise_for_status()

    async def _begin(self, at: datetime) -> None:
        """Set the clock back; a play that was interrupted at its very first event has done so before."""
        ago = datetime.now(UTC) - at + timedelta(minutes=1)
        if self._http is not None:
            answer = await self._http.post("/_sandbox/begin", json={"days_ago": ago / timedelta(days=1)})
            if answer.status_code != codes.UNPROCESSABLE_ENTITY:
                answer.raise_for_status()

    async def _control(self, name: str, **fields: float) -> None:
        if self._http is not None:
            (await self._http.post(f"/_sandbox/{name}", json=fields)).raise_for_status()
