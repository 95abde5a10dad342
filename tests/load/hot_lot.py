"""How fast the talks go: ``python -m tests.load.hot_lot [--buyers 200] [--units 50] [--talks 10000] [--lots 1000]``.

Lays out an empty market, starts the real application under Granian with two workers, and lets buyers and sellers
bargain through the API with bearer tokens. First one lot that everybody wants: all buyers accept the seller's counter
at once, then half of them accept while the other half make first offers; anew on a fresh lot each round. Then many
talks on many lots, three moves each (offer, counter, counter), from so many connections at once.

Beside each stands the floor: one bare ``UPDATE … RETURNING`` of the lot's row a request, by asyncpg in the same
processes, in turns with the application. PostgreSQL is as durable as in production; no job worker runs meanwhile, and
the API's quota is out of reach, for twenty sellers answer everybody.

Prints what was agreed, offered, refused, oversold and in error, p50 and p99 in milliseconds, acts a second and the
share of the floor reached.
"""

import argparse
import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs
from uuid import UUID

import asyncpg

from tests.load.server import fresh_database, serving

TALKS = "/api/v1/negotiations"
FLOOR = "update floor set units = units - 1 where id = $1 and units > 0 returning units"
SLICES = 5
"""Turns of application and floor in the second part."""

Scope = dict[str, Any]
Asgi = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def create() -> Asgi:
    """The application with one address more: ``/floor?id=…``."""
    from exchange.app import create_app

    application = create_app()
    pool: list[asyncpg.Pool] = []
    opening = asyncio.Lock()

    async def served(
        scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope.get("path") != "/floor":
            await application(scope, receive, send)  # type: ignore[arg-type]  # ASGI all the same
            return
        async with opening:
            if not pool:
                pool.append(await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8, reset=_none))
        await receive()
        left = await pool[0].fetchval(FLOOR, UUID(parse_qs(scope["query_string"].decode())["id"][0]))
        content = json.dumps({"left": left}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 409 if left is None else 201, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return served


async def _none(_: asyncpg.Connection) -> None: ...


# --- the clients -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What became of the requests; ``times`` in seconds, one for each answer."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    spent: float = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.spent

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        return sorted(self.times)[min(int(len(self.times) * share), len(self.times) - 1)] * 1000


class Line:
    """One connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def post(self, path: str, token: str, body: dict[str, Any], tally: Tally, name: str) -> dict[str, Any]:
        """Post, wait for the whole answer, count it under ``name``; returns what was answered."""
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept-Language: en\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        begun = time.perf_counter()
        try:
            self.writer.write(head.encode() + content)
            status, answer = await self._answer()
        except (OSError, EOFError) as e:
            tally.errors[type(e).__name__] += 1
            return {}
        tally.times.append(time.perf_counter() - begun)
        if status == 201:
            tally.done[name] += 1
        elif status in {409, 422}:
            tally.refused[str(answer.get("type", "refused")).rsplit(":", 1)[-1]] += 1
        else:
            tally.errors[f"{status} {answer.get('detail', '')}"] += 1
        return answer

    async def _answer(self) -> tuple[int, dict[str, Any]]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        body = b""
        if b"transfer-encoding: chunked" in head:
            while size := int((await self.reader.readline()).strip() or b"0", 16):
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        else:
            body = await self.reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        told = json.loads(body) if b"json" in head else {"detail": body.decode(errors="replace")[:200]}
        return int(head.split(b" ", 2)[1]), told

    def close(self) -> None:
        self.writer.close()


async def at_once(acts: Iterable[Awaitable[object]], tally: Tally) -> None:
    """All of them in one instant; adds the time until the last is answered."""
    begun = time.perf_counter()
    await asyncio.gather(*acts)
    tally.spent += time.perf_counter() - begun


def priced(cents: int, **more: Any) -> dict[str, Any]:
    return {"unit_price_minor": cents, "currency": "EUR", "quantity": 1, **more}


def offered(cents: int, **more: Any) -> dict[str, Any]:
    return priced(cents, incoterm="FCA", below_cost="end_of_season", **more)


# --- the market ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Market:
    """Members with their tokens, and lots, each with the seller's token."""

    port: int
    lines: list[Line]
    buyers: list[str]
    sellers: list[tuple[Any, str]]

    async def lots(self, count: int, units: int) -> list[tuple[UUID, str]]:
        """New lots of ``units`` units in one line, at 12.00 EUR each; the floor's rows beside them."""
        from exchange.database import execute
        from tests.factories import make_lot

        made = []
        for n in range(count):
            seller, token = self.sellers[n % len(self.sellers)]
            lot = await make_lot(seller, quantity=units)
            made.append((lot.id, token))
        await execute("insert into floor select id, $2 from unnest($1::uuid[]) as id", [i for i, _ in made], units)
        return made


async def lay_out(port: int, buyers: int, connections: int) -> Market:
    from exchange.database import execute
    from tests.factories import bearer, make_company, make_person

    await execute("create table floor (id uuid primary key, units int not null)")

    async def member() -> tuple[Any, str]:
        person = await make_person(await make_company())
        return person, (await bearer(person))["Authorization"].removeprefix("Bearer ")

    sellers = [await member() for _ in range(20)]
    crowd = [(await member())[1] for _ in range(buyers)]
    lines = [await Line.open(port) for _ in range(connections)]
    return Market(port, lines, crowd, sellers)


async def hot(market: Market, buyers: int, units: int, rounds: int, *, offering: int) -> tuple[Tally, Tally]:
    """``buyers`` act at once on one lot: the last ``offering`` of them make a first offer, the others accept."""
    tally, floor = Tally(), Tally()
    for _ in range(rounds):
        ((lot_id, seller),) = await market.lots(1, units)
        preparing = Tally()
        crowd = list(zip(market.lines, market.buyers[:buyers], strict=False))
        accepting = crowd[: buyers - offering]
        talks = []
        for line, token in accepting:
            talk = await line.post(TALKS, token, offered(800, lot_id=str(lot_id)), preparing, "offer")
            await line.post(f"{TALKS}/{talk['id']}/offers", seller, offered(1000), preparing, "counter")
            talks.append(f"{TALKS}/{talk['id']}/acceptance")
        if preparing.refused or preparing.errors:
            raise RuntimeError(f"the talks did not begin: {preparing.refused} {preparing.errors}")
        acts = [
            line.post(path, token, priced(1000), tally, "agreed")
            for (line, token), path in zip(accepting, talks, strict=True)
        ] + [
            line.post(TALKS, token, offered(800, lot_id=str(lot_id)), tally, "offered")
            for line, token in crowd[len(accepting) :]
        ]
        random.Random(1).shuffle(acts)
        await at_once(acts, tally)
        floors = (line.post(f"/floor?id={lot_id}", token, priced(1000), floor, "taken") for line, token in crowd)
        await at_once(floors, floor)
    return tally, floor


async def many(market: Market, talks: int, lots: int) -> tuple[Tally, Tally]:
    """``talks`` of three moves each on ``lots`` lots, spread over the connections."""
    tally, floor = Tally(), Tally()
    made = await market.lots(lots, 1000)
    each = -(-talks // lots)
    if each > len(market.buyers):
        raise SystemExit(f"{talks} talks on {lots} lots need {each} buyers")
    pairs = [(*made[n], market.buyers[(n + k) % len(market.buyers)]) for k in range(each) for n in range(lots)][:talks]
    random.Random(1).shuffle(pairs)

    async def bargain(line: Line, mine: list[tuple[UUID, str, str]]) -> None:
        for lot_id, seller, buyer in mine:
            talk = await line.post(TALKS, buyer, offered(800, lot_id=str(lot_id)), tally, "offered")
            if "id" in talk:
                await line.post(f"{TALKS}/{talk['id']}/offers", seller, offered(1100), tally, "offered")
                await line.post(f"{TALKS}/{talk['id']}/offers", buyer, offered(900), tally, "offered")

    async def touch(line: Line, mine: list[tuple[UUID, str, str]]) -> None:
        for lot_id, _, buyer in mine:
            for cents in (800, 1100, 900):
                await line.post(f"/floor?id={lot_id}", buyer, offered(cents), floor, "taken")

    size = -(-len(pairs) // SLICES)
    for turn in range(0, len(pairs), size):
        now = pairs[turn : turn + size]
        shares = [(line, now[n :: len(market.lines)]) for n, line in enumerate(market.lines)]
        await at_once((bargain(*share) for share in shares), tally)
        await at_once((touch(*share) for share in shares), floor)
    return tally, floor


async def oversold() -> int:
    """Units agreed on beyond what their lots had, by the reservations and by the lots' own counters."""
    from exchange.database import fetchval

    return int(
        await fetchval(
            "select coalesce(sum(greatest(0, l.reserved + l.sold - l.quantity, coalesce(r.units, 0) - l.quantity)), 0)"
            " from lot l left join (select lot_id, sum(quantity) as units from reservation where state <> 'released'"
            " group by lot_id) r on r.lot_id = l.id"
        )
    )


async def run(port: int, asked: argparse.Namespace) -> None:
    from exchange.database import close_pool, open_pool

    await open_pool(size=2)
    market = await lay_out(port, max(asked.buyers, 20), max(asked.buyers, asked.clients))
    heads = ("agreed", "offered", "refused", "oversold", "errors", "p50 ms", "p99 ms", "acts/s", "floor/s", "share")
    print(f"{'':40}" + "".join(f"{head:>9}" for head in heads))

    async def show(name: str, tally: Tally, floor: Tally) -> None:
        print(
            f"{name:40}{tally.done['agreed']:9}{tally.done['offered']:9}{tally.refused.total():9}"
            f"{await oversold():9}{tally.errors.total():9}{tally.percentile(0.5):9.1f}{tally.percentile(0.99):9.1f}"
            f"{tally.rate:9.0f}{floor.rate:9.0f}{tally.rate / floor.rate:9.0%}"
        )
        for kind, told in (("refused", tally.refused), ("error", tally.errors), ("floor error", floor.errors)):
            for reason, times in told.most_common():
                print(f"    {kind}: {reason} x {times}")

    buyers, units, rounds = asked.buyers, asked.units, asked.rounds
    await hot(market, buyers, units, 1, offering=buyers // 2)  # caches, prepared statements
    about = f"{buyers} buyers, {units} units, {rounds} rounds"
    await show(f"{about}: all accept", *await hot(market, buyers, units, rounds, offering=0))
    await show(f"{'':{len(about)}}  half offer", *await hot(market, buyers, units, rounds, offering=buyers // 2))
    for line in market.lines[asked.clients :]:
        line.close()
    del market.lines[asked.clients :]
    name = f"{asked.talks} talks, {asked.lots} lots, {asked.clients} clients"
    await show(name, *await many(market, asked.talks, asked.lots))
    await close_pool()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--buyers", type=int, default=200)
    parser.add_argument("--units", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5, help="hot lots one after the other")
    parser.add_argument("--talks", type=int, default=10_000)
    parser.add_argument("--lots", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=32, help="connections of the many talks")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with fresh_database([["migrate"]], ["shared_buffers=256MB"]) as url:
        os.environ |= {"DATABASE_URL": url, "API_REQUESTS_PER_MINUTE": str(10**9)}
        with serving("tests.load.hot_lot:create", asked.workers) as port:
            asyncio.run(run(port, asked))


if __name__ == "__main__":
    main()
