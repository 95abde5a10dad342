"""How fast the market is read: ``python -m tests.load.browse [--lots 100000] [--seconds 5] [--database-url URL]``.

Lays out a market (or takes the one at the URL), starts the real application under Granian with two workers, signs a
member in who is hidden from by some sellers and some lots, and asks for the browse page, searches and lot pages at 1, 8
and 32 clients. Beside each stands the floor: the same rows by bare asyncpg in a minimal template, served by the same
processes in the same run. Prints requests a second, p50, p99 in milliseconds and the share of the floor reached.
"""

import argparse
import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, quote
from uuid import UUID

import asyncpg
from jinja2 import Environment

from tests.load.server import fresh_database, serving

CLIENTS = (1, 8, 32)


# --- the server: the application, and the floor beside it ------------------------------------------------------------

_CARDS = Environment(autoescape=True).from_string(
    "<!doctype html><title>floor</title><ul>{% for r in rows %}<li><a href='/lots/{{ r.id }}'>{{ r.title }}</a>"
    " {{ r.category }} {{ r.grade }} {{ r.country }} {{ r.units }} {{ r.unit_ask_minor }} {{ r.currency }}"
    " {{ r.discount }} {{ r.week }}</li>{% endfor %}</ul>"
)
_LOT = Environment(autoescape=True).from_string(
    "<!doctype html><title>{{ lot.title }}</title><p>{{ lot.unit_ask_minor }} {{ lot.currency }} {{ lot.quantity }}</p>"
    "<table>{% for m in lines %}<tr><td>{{ m.title }}<td>{{ m.gtin }}<td>{{ m.quantity }}<td>{{ m.rrp_minor }}</tr>"
    "{% endfor %}</table>"
)
_COLUMNS = (
    "id, title, category, grade, country, quantity - reserved - sold as units, unit_ask_minor, currency, discount, week"
)
_FOR_SALE = "state in ('open', 'part_sold')"
_BROWSE = f"select {_COLUMNS} from lot where {_FOR_SALE} and (week, id) < (select week, id from lot where id = $1) order by week desc, id desc limit 24"  # noqa: E501, S608
_SEARCH = f"select {_COLUMNS} from (select * from lot where {_FOR_SALE} order by week desc, id desc limit 400) as lot where search_name @@ plainto_tsquery('english', $1) limit 24"  # noqa: E501, S608
_LINES = "select title, gtin, quantity, rrp_minor from manifest_line where lot_id = $1 order by position limit 50"

Scope = dict[str, Any]
Asgi = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


def create() -> Asgi:
    """The application with three addresses more: ``/floor/browse``, ``/floor/search`` and ``/floor/lot``."""
    from exchange.app import create_app

    application = create_app()
    pool: list[asyncpg.Pool] = []

    async def served(
        scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if not str(scope.get("path", "")).startswith("/floor/"):
            await application(scope, receive, send)  # type: ignore[arg-type]  # ASGI all the same
            return
        if not pool:
            pool.append(await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8, reset=_none))
        asked = parse_qs(scope["query_string"].decode())
        async with pool[0].acquire() as connection:
            match scope["path"]:
                case "/floor/browse":
                    body = _CARDS.render(rows=await connection.fetch(_BROWSE, UUID(asked["after"][0])))
                case "/floor/search":
                    body = _CARDS.render(rows=await connection.fetch(_SEARCH, asked["q"][0]))
                case _:
                    lot_id = UUID(asked["id"][0])
                    lot = await connection.fetchrow("select * from lot where id = $1", lot_id)
                    body = _LOT.render(lot=lot, lines=await connection.fetch(_LINES, lot_id))
        content = body.encode()
        headers = [(b"content-type", b"text/html"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return served


async def _none(_: asyncpg.Connection) -> None: ...


# --- the clients -----------------------------------------------------------------------------------------------------


async def client(port: int, cookie: str, paths: list[str], until: float, seed: int) -> list[float]:
    """One browser: asks, waits for the whole answer, asks again. Returns the time of each answer in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    chance = random.Random(seed)
    times = []
    while (started := time.perf_counter()) < until:
        path = chance.choice(paths)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nAccept-Language: en\r\n\r\n".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"{path}: {head[:60]!r}")
        if b"transfer-encoding: chunked" in head:
            while size := int((await reader.readline()).strip() or b"0", 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        else:
            length = head.split(b"content-length:")[1].split(b"\r\n")[0]
            await reader.readexactly(int(length))
        times.append(time.perf_counter() - started)
    writer.close()
    return times


async def csrf(port: int) -> str:
    """The cookie every browser has after its first page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /about HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    answer = (await reader.read()).decode("latin-1")
    writer.close()
    return "; " + answer.split("set-cookie: ")[1].split(";")[0]


async def measure(port: int, cookie: str, paths: list[str], clients: int, seconds: float) -> list[list[float]]:
    """The answers of so many clients at once, each client's times in seconds."""
    until = time.perf_counter() + seconds
    return await asyncio.gather(*(client(port, cookie, paths, until, n) for n in range(clients)))


async def compare(
    port: int, cookie: str, paths: list[str], floors: list[str], clients: int, seconds: float
) -> tuple[float, float, float, float]:
    """Requests a second, p50 and p99 in milliseconds, and the floor's requests a second.

    Application and floor take turns in slices of a second, so that whatever else the machine does befalls both alike.
    """
    times: list[float] = []
    answered = spent = floored = resting = 0.0
    for _ in range(max(1, round(seconds))):
        begun = time.perf_counter()
        taken = [t for one in await measure(port, cookie, paths, clients, 1) for t in one]
        spent += time.perf_counter() - begun
        times += taken
        answered += len(taken)
        if floors:
            begun = time.perf_counter()
            floored += sum(map(len, await measure(port, cookie, floors, clients, 1)))
            resting += time.perf_counter() - begun
    times.sort()
    floor = floored / resting if floors else 0.0
    return answered / spent, times[len(times) // 2] * 1000, times[int(len(times) * 0.99)] * 1000, floor


# --- the run ---------------------------------------------------------------------------------------------------------


async def prepare(url: str) -> tuple[str, list[str], list[str], list[str]]:
    """A signed-in member hidden from by five sellers and fifty lots; ids of lots they see; common words; any words."""
    from exchange.accounts.actions.sessions import open_session
    from exchange.web.sign_in import session_cookie

    connection = await asyncpg.connect(url)
    try:
        person, company = await connection.fetchrow(
            "select m.person_id, m.company_id from membership m join company c on c.id = m.company_id"
            " join person p on p.id = m.person_id where c.vetting = 'vetted' and p.language = 'en' limit 1"
        )
        await connection.execute(
            "insert into company_block (id, company_id, rival_id) select gen_random_uuid(), id, $1 from company"
            " where id <> $1 order by id limit 5 on conflict do nothing",
            company,
        )
        await connection.execute(
            "insert into lot_block (id, lot_id, company_id) select gen_random_uuid(), id, $1 from lot"
            " where company_id <> $1 order by id limit 50 on conflict do nothing",
            company,
        )
        await connection.execute("vacuum analyze")
        seen = await connection.fetch(
            "select id from lot where state in ('open', 'part_sold') and company_id <> all (array(select company_id"
            " from company_block where rival_id = $1)) and id <> all (array(select lot_id from lot_block"
            " where company_id = $1)) order by random() limit 500",
            company,
        )
        common = await connection.fetch(
            "select word from (select regexp_split_to_table(fold(title), '[^a-z]+') as word from lot limit 400000) w"
            " where length(word) > 3 group by word order by count(*) desc limit 8"
        )
        known = await connection.fetch(
            "select word from search_word where length(word) > 3 order by random() limit 300"
        )
    finally:
        await connection.close()
    cookie = f"{session_cookie()}={await open_session(person, address='127.0.0.1', agent='load')}"
    return cookie, [str(row["id"]) for row in seen], [row["word"] for row in common], [row["word"] for row in known]


async def run(url: str, port: int, seconds: float, only: str) -> None:
    cookie, lots, words, known = await prepare(url)
    cookie += await csrf(port)
    misspelt = [word[:2] + word[3:] for word in words if len(word) > 5]
    browse = [f"/lots?after={i}" for i in lots]
    cases: list[tuple[str, list[str], list[str]]] = [
        ("browse", browse, [f"/floor/browse?after={i}" for i in lots]),
        ("lot", [f"/lots/{i}" for i in lots], [f"/floor/lot?id={i}" for i in lots]),
        ("search", [f"/lots?q={quote(w)}" for w in words], [f"/floor/search?q={quote(w)}" for w in words]),
        ("commonest word", [f"/lots?q={quote(words[0])}"], [f"/floor/search?q={quote(words[0])}"]),
        ("any word", [f"/lots?q={quote(w)}" for w in known], []),
        ("misspelt", [f"/lots?q={quote(w)}" for w in misspelt or words], []),
    ]
    print(f"{len(lots)} lots asked for, words {', '.join(words)}")
    print(f"{'':16}{'clients':>8}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'floor':>9}{'share':>8}")
    for name, paths, floors in cases:
        if only not in name:
            continue
        await measure(port, cookie, paths, 4, 1)
        for clients in CLIENTS:
            rate, half, tail, floor = await compare(port, cookie, paths, floors, clients, seconds)
            share = f"{rate / floor:7.0%}" if floor else ""
            print(f"{name:16}{clients:8}{rate:9.0f}{half:9.1f}{tail:9.1f}{floor or 0:9.0f}{share:>8}", flush=True)


@contextmanager
def database(lots: int, given: str | None) -> Iterator[str]:
    """The market to read: the given one, or a fresh one of ``lots`` lots that is thrown away."""
    if given:
        yield given
        return
    options = ["fsync=off", "synchronous_commit=off", "shared_buffers=512MB"]
    with fresh_database([["migrate"], ["seed", "--lots", str(lots)]], options) as url:
        yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lots", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database-url")
    parser.add_argument("--only", default="", help="part of a case's name")
    asked = parser.parse_args()
    with database(asked.lots, asked.database_url) as url:
        os.environ["DATABASE_URL"] = url
        with serving("tests.load.browse:create", asked.workers) as port:
            asyncio.run(run(url, port, asked.seconds, asked.only))


if __name__ == "__main__":
    main()
