"""People who trade with their browsers: cookies, forms and redirects, page by page; none of them knows of the chaos.

Each deal has a script of what its two sides mean to do. A visit looks at the deal's page, as its side, and sends the
form the script asks for, if the page offers it; what fails is tried again at the next visit, as people do.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from tests.factories import MadePerson

TOKEN = re.compile(r'name="_csrf_token" value="([^"]+)"')

#: How buyers pay: what they choose on the pay page, one try after the other, and how often it happens.
PAYING: tuple[tuple[int, tuple[str, ...]], ...] = (
    (40, ("card:4242424242424242",)),
    (14, ("card:4000000000000077",)),
    (8, ("card:4000000000000002", "card:4242424242424242")),
    (8, ("card:4000002760003184",)),
    (4, ("card:4000000000000259",)),
    (8, ("sepa_debit:AT611904300234573201",)),
    (4, ("sepa_debit:AT861904300235473202", "card:4242424242424242")),
    (6, ("customer_balance:exact",)),
    (3, ("customer_balance:over",)),
    (2, ("customer_balance:short",)),
    (3, ()),
)

#: What becomes of a paid deal, and how often.
COURSES: tuple[tuple[int, str], ...] = (
    (34, "received"), (12, "checked"), (8, "collected"), (8, "silent"), (8, "claim_agreed"), (4, "claim_withdrawn"),
    (6, "claim_decided"), (10, "cancelled"), (5, "not_shipped"), (5, "lost"),
)  # fmt: skip


class TurnedAway(Exception):
    """No answer, or one that says to come back later: the person tries again."""


@dataclass
class Tally:
    """What the people saw."""

    requests: int = 0
    turned_away: Counter[str] = field(default_factory=Counter)
    complaints: Counter[str] = field(default_factory=Counter)
    """Answers nobody should ever get."""


@dataclass
class Browser:
    """One person's browser."""

    person: MadePerson
    http: httpx.AsyncClient
    tally: Tally

    async def get(self, path: str) -> httpx.Response:
        return await self._send("GET", path)

    async def submit(self, page: httpx.Response, action: str, twice: bool = False, **fields: Any) -> httpx.Response:
        """Send a form of ``page``; ``twice`` is an impatient double click."""
        found = TOKEN.search(page.text)
        form = {name.replace("__", "-"): str(value) for name, value in fields.items()}
        form |= {"_csrf_token": found[1]} if found else {}
        if twice:
            first, _ = await asyncio.gather(
                self._send("POST", action, form), self._send("POST", action, form), return_exceptions=True
            )
            if isinstance(first, BaseException):
                raise first
            return first
        return await self._send("POST", action, form)

    async def _send(self, method: str, path: str, form: Mapping[str, str] | None = None) -> httpx.Response:
        self.tally.requests += 1
        try:
            answer = await self.http.request(method, path, data=form)
        except httpx.HTTPError as error:
            self.tally.turned_away[type(error).__name__] += 1
            raise TurnedAway from error
        kind = re.sub(r"[0-9a-f-]{36}", "…", path.split("?")[0]) if path.startswith("/") else "the payment service"
        if "/c/" in path:
            kind = "the payment service"
        if answer.status_code in {500, 429, 503}:
            self.tally.turned_away[f"{answer.status_code} {kind}"] += 1
            raise TurnedAway
        if answer.status_code not in {200, 303, 402, 409, 410, 422}:
            self.tally.complaints[f"{answer.status_code} {method} {kind}"] += 1
            raise TurnedAway
        return answer


@dataclass
class Script:
    """A deal as its two sides mean it to go; ``tries`` counts the payments made."""

    number: int
    seller: Browser
    buyer: Browser
    operator: Browser
    lot: UUID
    tries_of_paying: tuple[str, ...]
    course: str
    chance: random.Random
    talk: str | None = None
    deal: str | None = None
    tries: int = 0
    checked: bool = False
    escalated: bool = False
    over: bool = False

    async def visit(self) -> None:
        """Both sides look at the deal once and do what is theirs to do."""
        try:
            if self.talk is None:
                await self._agree()
            if self.deal is None:
                await self._find_deal()
            if self.deal is not None and not self.over:
                await self._pay_or_take()
                await self._sell()
                if self.course == "claim_decided":
                    await self._decide()
        except TurnedAway:
            return

    async def _agree(self) -> None:
        at = f"/lots/{self.lot}/offer"
        page = await self.buyer.get(at)
        if page.status_code == 200:
            page = await self.buyer.submit(page, at, price="12.00", quantity=self.chance.randint(5, 60), incoterm="FCA")
        if page.status_code == 303 and "/talks/" in page.headers["location"]:
            self.talk = page.headers["location"].split("?")[0].split("#")[0]
        else:
            alert = re.search(r'role="alert"[^>]*>(.*?)</', page.text, re.S)
            told = re.sub(r"<[^>]+>|\s+", " ", alert[1]).strip()[:160] if alert else ""
            self.buyer.tally.complaints[f"{page.status_code} no talk: {told}"] += 1

    async def _find_deal(self) -> None:
        page = await self.seller.get(f"{self.talk}")
        if form := re.search(rf'<form[^>]*action="{self.talk}/acceptance".*?</form>', page.text, re.DOTALL):
            shown = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
            shown.pop("_csrf_token", None)
            await self.seller.submit(page, f"{self.talk}/acceptance", self._impatient(), **shown)
        if f'href="{self.talk}/deal"' in page.text:
            onward = await self.buyer.get(f"{self.talk}/deal")
            if onward.status_code == 303 and re.search(r"/deals/[0-9a-f-]{36}$", onward.headers["location"]):
                self.deal = onward.headers["location"]

    async def _pay_or_take(self) -> None:
        page = await self.buyer.get(f"{self.deal}")
        offers = self._offered(page)
        if "payment" in offers:
            await self._pay(page)
        elif "receipt" in offers and self.course in {"received", "checked", "collected", "silent"}:
            await self._receive()
        elif self.course.startswith("claim") and f"{self.deal}/claims/new" in page.text:
            await self._claim()
        elif self.course.startswith("claim") and "receipt" in offers and not self.checked:
            await self._receive()
        elif self.course == "claim_withdrawn" and "claims/withdrawal" in offers:
            await self._do(self.buyer, page, "claims/withdrawal")
        elif self.course == "claim_decided" and "claims/escalation" in offers:
            await self._do(self.buyer, page, "claims/escalation")
            self.escalated = True
        elif self.course == "cancelled" and "cancellation" in offers:
            await self._do(self.buyer, page, "cancellation")

    async def _sell(self) -> None:
        page = await self.seller.get(f"{self.deal}")
        offers = self._offered(page)
        if self.course == "cancelled" and "cancellation" in offers:
            await self._do(self.seller, page, "cancellation")
        elif "shipment" in offers and self.course not in {"not_shipped", "cancelled"}:
            how = {"how": "collection", "note": f"BE {self.number}"}
            carried = {"how": "carrier", "carrier": "Messageries", "tracking": f"MO {self.number}"}
            await self._do(self.seller, page, "shipment", **(how if self.course == "collected" else carried))
        elif "claims/agreement" in offers and self.course == "claim_agreed":
            await self._do(self.seller, page, "claims/agreement")

    async def _decide(self) -> None:
        page = await self.operator.get(f"{self.deal}")
        if self.escalated and "decision" in self._offered(page):
            await self._do(self.operator, page, "decision", refund="7.00", reasons="The photos show it.")

    async def _receive(self) -> None:
        checking = self.course == "silent" or (self.course != "received" and not self.checked)
        if self.course == "silent" and self.checked:
            return
        page = await self.buyer.get(f"{self.deal}/receipt")
        if page.status_code == 200:
            verdict = "wrong" if self.course.startswith("claim") else "checking" if checking else "right"
            await self._do(self.buyer, page, "receipt", verdict=verdict)
            self.checked = True

    async def _claim(self) -> None:
        page = await self.buyer.get(f"{self.deal}/claims/new")
        keys = re.findall(r'name="missing-([^"]+)"', page.text)
        if keys:
            await self.buyer.submit(page, f"{self.deal}/claims", False, said="Short", **{f"missing__{keys[0]}": 1})

    async def _pay(self, page: httpx.Response) -> None:
        if self.tries >= len(self.tries_of_paying) and self.tries_of_paying:
            return
        away = await self.buyer.submit(page, f"{self.deal}/payment", self._impatient())
        if away.status_code != 303 or "/c/pay/" not in away.headers["location"]:
            return
        checkout = away.headers["location"]
        await self.buyer.get(checkout)
        if not self.tries_of_paying:
            return  # looked, and left
        outcome = self.tries_of_paying[self.tries]
        answer = await self.buyer.submit(page, checkout, self._impatient(), outcome=outcome)
        if answer.status_code == 402:
            self.tries += 1
            return
        if answer.status_code != 303:
            return
        self.tries += 1
        onward = answer.headers["location"]
        if "/c/authenticate/" in onward:
            await self.buyer.get(onward)
            onward = (await self.buyer.submit(page, onward, answer="yes")).headers["location"]
        if self.chance.random() < 0.7:  # the others close the window: no redirect ever comes back
            await self.buyer.get(httpx.URL(onward).raw_path.decode())

    async def _do(self, who: Browser, page: httpx.Response, what: str, **fields: Any) -> None:
        await who.submit(page, f"{self.deal}/{what}", self._impatient(), **fields)

    def _impatient(self) -> bool:
        return self.chance.random() < 0.15

    def _offered(self, page: httpx.Response) -> set[str]:
        """Where the page's forms and links lead, below the deal's address."""
        return set(re.findall(rf'(?:action|href)="{self.deal}/([a-z/]+)"', page.text))


def choose(chance: random.Random, table: tuple[tuple[int, Any], ...]) -> Any:
    """One of the second parts, as often as the first parts say."""
    return chance.choices([what for _, what in table], [weight for weight, _ in table])[0]
