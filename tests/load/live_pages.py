"""What open live pages cost: ``python -m tests.load.live_pages [--pages 500]`` beside a running ``exchange demo``.

Signs the demo's merchant in, opens the live stream of one talk so many times, and prints what that adds to the memory
of the web processes (PSS), how many database connections listen, and how long one announcement takes to get there.
"""

import argparse
import asyncio
import os
import re
import time
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx

from exchange.seed import PASSWORD
from exchange.supervisor import attach


def web_memory() -> int:
    """PSS of all web processes of this user's exchange, bytes."""
    total = 0
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and b"exchange.app:served" in (process / "cmdline").read_bytes():
                shares = re.findall(r"^Pss:\s+(\d+) kB", (process / "smaps_rollup").read_text(), re.MULTILINE)
                total += 1024 * sum(map(int, shares))
        except OSError:
            continue  # it has ended
    return total


async def sign_in(base: str, email: str) -> tuple[str, str]:
    """The cookies of a signed-in browser, and the path of a talk."""
    async with httpx.AsyncClient(base_url=base, follow_redirects=True) as http:
        page = (await http.get("/sign-in")).text
        token = re.search(r'name="_csrf_token" value="([^"]+)"', page)
        await http.post(
            "/sign-in", data={"email": email, "password": PASSWORD, "_csrf_token": token[1] if token else ""}
        )
        talk = re.search(r'href="(/talks/[0-9a-f-]{36})', (await http.get("/talks")).text)
        if talk is None:
            raise SystemExit(f"{email} could not sign in, or has no talk")
        return "; ".join(f"{c.name}={c.value}" for c in http.cookies.jar), talk[1]


async def open_page(host: str, port: int, path: str, cookie: str, begun: asyncio.Event) -> float:
    """One open page: its stream, until the first event after ``begun``. Returns when that came."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET {path}/live HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode())
    await reader.readuntil(b"data: missed")
    begun.set()
    await reader.readuntil(b"event: changed")
    at = time.perf_counter()
    writer.close()
    return at


async def run(base: str, email: str, pages: int) -> None:
    cookie, talk = await sign_in(base, email)
    url = httpx.URL(base)
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    before = web_memory()
    opened = [asyncio.Event() for _ in range(pages)]
    streams = [asyncio.create_task(open_page(url.host, url.port or 80, talk, cookie, event)) for event in opened]
    for event in opened:
        await asyncio.wait_for(event.wait(), 30)
    await asyncio.sleep(2)
    added = web_memory() - before
    listening = await connection.fetchval(
        "select count(*) from pg_stat_activity where application_name = 'exchange live pages'"
    )
    told = time.perf_counter()
    await connection.execute("select pg_notify($1, $2)", f"talk_{UUID(talk[7:]).hex}", "load test")
    times = sorted(at - told for at in await asyncio.wait_for(asyncio.gather(*streams), 30))
    await connection.close()
    print(
        f"{pages} open pages: {added / 2**20:.1f} MB more in the web processes (PSS), {listening} listening connections"
    )
    print(f"one announcement reaches a page after {times[len(times) // 2] * 1000:.0f} ms (p50), all after", end=" ")
    print(f"{times[-1] * 1000:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--email", default="camille@vauclair.example")
    parser.add_argument("--data-dir", type=Path)
    asked = parser.parse_args()
    attach(asked.data_dir)
    asyncio.run(run(asked.url, asked.email, asked.pages))


if __name__ == "__main__":
    main()
