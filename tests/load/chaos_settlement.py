"""Money that survives anything: ``python -m tests.load.chaos_settlement [--deals 300] [--kills 200] [--seed 1]``.

Starts a throw-away ``exchange serve`` and lets people trade on it with their browsers (``tests.load.browsers``), from
the offer to the last cent, while its processes are killed with SIGKILL at random moments: web workers, the web server,
the job worker, the payment sandbox, PostgreSQL. Meanwhile the sandbox drops, doubles, delays and shuffles its webhooks
and strikes calls with 500 (before and after doing them), 409, 429 and answers that never come. Days pass on the virtual
clock, so SEPA debits end, deadlines run out and disputes come to a verdict.

Then it calms down, lets every clock run out, runs ``exchange reconcile``, and lays the deals, the books and the sandbox
beside each other (``tests.load.ledger_truth``). Exits with 1 on any difference; ``--seed`` repeats the people's scripts
and the killer's choices (not the machine's timing).
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
import psutil

from exchange.supervisor import INSTANCE, ROOT, free_port
from tests.load.browsers import COURSES, PAYING, Browser, Script, Tally, TurnedAway, choose
from tests.load.ledger_truth import Verdict, judge

HOST = "127.0.0.1"
PEOPLE = 20
"""On each side."""
AT_ONCE = 12
"""Browsers at work at the same time."""

VICTIMS = {"web worker": 30, "worker": 25, "sandbox": 20, "PostgreSQL": 15, "web server": 10}
"""Whom the killer takes, and how often."""

WEBHOOKS = {"drop_percent": 10, "double_percent": 15, "delay_seconds": 2, "shuffle": True}
STRUCK = 100_000
CALLS = [
    {"kind": kind, "method": method, "percent": percent, "times": STRUCK, "seconds": 18}
    for method, kind, percent in (
        ("POST", "error_500", 3), ("POST", "error_500_after", 4), ("POST", "rate_limit", 3),
        ("POST", "lock_timeout", 3), ("POST", "conflict", 3), ("POST", "timeout_after", 2),
        ("GET", "error_500", 2), ("GET", "rate_limit", 2),
    )
]  # fmt: skip

ENDED = """
select '/deals/' || id as at from deal where closed_at is not null
union select '/talks/' || id from negotiation where state not in ('live', 'countered', 'agreed')
"""
PLANNED = "select value from sandbox.state where name = 'faults'"
DELIVERED = """
select state, count(*) as n, sum(greatest(attempts - 1, 0)) as more from sandbox.delivery group by 1
"""

GONE = (
    OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)  # fmt: skip
"""How a killed PostgreSQL shows."""

T = TypeVar("T")


# --- the instance


@dataclass
class Instance:
    """The exchange under attack."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    url: str
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def environment(self) -> dict[str, str]:
        given: dict[str, str] = json.loads((self.folder / INSTANCE).read_text())
        return given

    def parts(self) -> dict[str, list[psutil.Process]]:
        """The instance's own processes by what they are."""
        found: dict[str, list[psutil.Process]] = {name: [] for name in VICTIMS}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                command = child.cmdline()
                if command and command[0].endswith("/postgres"):
                    found["PostgreSQL"].append(child)
                elif "sandbox" in command or "worker" in command:
                    found["sandbox" if "sandbox" in command else "worker"].append(child)
                elif "web" in command:
                    found["web server"].append(child)
                    found["web worker"] += child.children()
        return found

    async def complete(self, patience: float = 120) -> None:
        """Wait until every part is there and answers."""
        deadline = time.monotonic() + patience
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            while True:
                if self.process.poll() is not None:
                    raise SystemExit(f"the supervisor ended with {self.process.returncode}; its words: {self.folder}")
                with contextlib.suppress(httpx.HTTPError, FileNotFoundError, psutil.NoSuchProcess):
                    healthy = (await http.get(f"{self.url}/healthz")).status_code == 200
                    there = (await http.get(f"{self.environment['STRIPE_API_BASE']}/healthz")).status_code == 200
                    if healthy and there and all(self.parts().values()):
                        return
                if time.monotonic() > deadline:
                    raise SystemExit(f"not every part came back: {self.parts()}")
                await asyncio.sleep(0.3)

    async def control(self, name: str, **fields: Any) -> dict[str, Any]:
        """One of the sandbox's controls, tried until it answers."""
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    answer = await http.post(f"{self.environment['STRIPE_API_BASE']}/_sandbox/{name}", json=fields)
                    if answer.status_code == 200:
                        done: dict[str, Any] = answer.json()
                        return done
                await asyncio.sleep(0.5)

    async def asked(self, question: Callable[["asyncpg.Connection[asyncpg.Record]"], Awaitable[T]]) -> T:
        """Ask the database, again when it was just killed."""
        while True:
            try:
                connection = await asyncpg.connect(self.environment["DATABASE_URL"], timeout=10)
                try:
                    return await question(connection)
                finally:
                    await connection.close()
            except GONE:
                await asyncio.sleep(0.5)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """An ``exchange`` command beside the instance."""
        return subprocess.run(
            [sys.executable, "-m", "exchange.cli", *arguments, "--data-dir", str(self.folder)],
            cwd=ROOT, env=_own(), capture_output=True, text=True, check=False,
        )  # fmt: skip


def _own() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "MODE", "STRIPE_SECRET_KEY"}}


@contextlib.contextmanager
def serving(workers: int, keep: bool) -> Iterator[Instance]:
    """``exchange serve`` on an empty folder, which goes away afterwards unless ``keep``."""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="confrere-chaos-")) if keep else Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="confrere-chaos-")))  # fmt: skip
        port = free_port(HOST)
        log = stack.enter_context((folder / "serve.log").open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-m", "exchange.cli", "serve", "--port", str(port), "--workers", str(workers),
             "--data-dir", str(folder / "data")], cwd=ROOT, env=_own(), stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield Instance(process, folder / "data", f"http://{HOST}:{port}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


# --- the people


async def people(instance: Instance, tally: Tally) -> tuple[list[Browser], list[Browser], Browser, list[Any]]:
    """Sellers with a lot each for every buyer to take from, buyers and the operator, all signed in."""
    import piccolo_conf
    from exchange.accounts.actions.sessions import open_session
    from exchange.actor import Role
    from exchange.web.sign_in import session_cookie
    from tests.factories import make_company, make_lot, make_person

    piccolo_conf.DB.config["dsn"] = instance.environment["DATABASE_URL"]

    async def member(role: Role) -> Browser:
        person = await make_person(None if role is Role.OPERATOR else await make_company(), role=role)
        http = httpx.AsyncClient(base_url=instance.url, trust_env=False, timeout=40)
        http.cookies.set(session_cookie(), await open_session(person.id, address=HOST, agent="browser"))
        await http.get("/about")  # before two pages at once make two cookies, one of which outdates the other page
        return Browser(person, http, tally)

    sellers = [await member(Role.OWNER) for _ in range(PEOPLE)]
    buyers = [await member(Role.OWNER) for _ in range(PEOPLE)]
    lots = [await make_lot(sellers[n % PEOPLE].person, quantity=5_000, title=f"Lot {n}") for n in range(2 * PEOPLE)]
    return sellers, buyers, await member(Role.OPERATOR), lots


async def open_account(seller: Browser, outcome: str) -> None:
    """The seller shows at the payment service who it is; tried until it went through."""
    while True:
        with contextlib.suppress(TurnedAway):
            page = await seller.get("/money")
            away = await seller.submit(page, "/money/onboarding")
            if away.status_code == 303 and "/c/onboarding/" in away.headers["location"]:
                link = away.headers["location"]
                await seller.get(link)
                back = await seller.submit(page, link, outcome=outcome)
                await seller.get(httpx.URL(back.headers["location"]).raw_path.decode())
                return
        await asyncio.sleep(0.5)


# --- the storm


async def kill(instance: Instance, wanted: int, chance: random.Random, pause: float) -> None:
    """Kill one process of the instance after another, ``wanted`` in all."""
    names, weights = list(VICTIMS), list(VICTIMS.values())
    while instance.kills.total() < wanted:
        await asyncio.sleep(chance.uniform(0.5, 1.5) * pause)
        name = chance.choices(names, weights)[0]
        alive = instance.parts()[name]
        if alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                chance.choice(alive).kill()
                instance.kills[name] += 1


@contextlib.asynccontextmanager
async def storm(
    instance: Instance, wanted: int, chance: random.Random, pause: float
) -> AsyncIterator["asyncio.Task[None]"]:
    """Everything goes wrong inside the block; the killer's task is done when it has killed enough."""
    await instance.control("webhooks", **WEBHOOKS)
    for fault in CALLS:
        await instance.control("calls", **fault)
    killer = asyncio.create_task(kill(instance, wanted, chance, pause))
    try:
        yield killer
    finally:
        killer.cancel()
        await asyncio.gather(killer, return_exceptions=True)


async def visits(scripts: list[Script]) -> None:
    """Everybody looks at their deals once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(script: Script) -> None:
        async with gate:
            await script.visit()

    await asyncio.gather(*(one(script) for script in scripts if not script.over))


async def mark_over(instance: Instance, scripts: list[Script]) -> int:
    """Note which deals have ended; how many have not."""
    ended = await instance.asked(lambda c: c.fetch(ENDED))
    closed = {row["at"] for row in ended}
    for script in scripts:
        script.over = script.deal in closed or script.talk in closed
    return sum(not script.over for script in scripts)


# --- the run


async def run(asked: argparse.Namespace, instance: Instance) -> int:
    begun, chance, tally = time.monotonic(), random.Random(asked.seed), Tally()
    await instance.complete()
    sellers, buyers, operator, lots = await people(instance, tally)
    for number, seller in enumerate(sellers):
        await open_account(seller, "incomplete" if number % 10 == 9 else "complete")
    pairs = [(lot, buyer) for lot in range(len(lots)) for buyer in range(len(buyers))]
    chance.shuffle(pairs)
    scripts = [
        Script(n, sellers[lot % PEOPLE], buyers[buyer], operator, lots[lot].id, choose(chance, PAYING),
               choose(chance, COURSES), random.Random(f"{asked.seed}-{n}"))
        for n, (lot, buyer) in enumerate(pairs[: asked.deals])
    ]  # fmt: skip
    open_now: list[Script] = []
    async with storm(instance, asked.kills, random.Random(asked.seed + 1), asked.pause) as killer:
        rounds = 0
        while True:
            batch = max(1, asked.deals // 6)
            open_now += scripts[len(open_now) : len(open_now) + batch]
            asked_before, away_before = tally.requests, tally.turned_away.total()
            await asyncio.gather(visits(open_now), asyncio.sleep(asked.pause))
            served = tally.turned_away.total() - away_before < (tally.requests - asked_before) / 2
            left = await mark_over(instance, open_now)
            rounds += 1
            say(begun, instance, f"round {rounds}: {len(open_now)} deals begun, {left} not ended", tally)
            if served and len(open_now) == len(scripts):  # while the site is away nobody's time to pay runs out
                await instance.control("clock", hours=4)
            if len(open_now) == len(scripts) and killer.done():
                break
        killer.result()
        struck = await disturbances(instance)
    await instance.complete()
    await instance.control("calm")
    for seller in sellers[9::10]:
        await open_account(seller, "complete")
    for day in range(100):
        await visits(open_now)
        if day % 8 == 7:
            told = await asyncio.to_thread(instance.command, "reconcile")
            print(f"  day {day}: reconcile says {told.stdout.strip().splitlines()[-1:]} {told.stderr.strip()[-300:]}")
        left = await mark_over(instance, open_now)
        say(begun, instance, f"calm, day {day}: {left} not ended", tally)
        if not left:
            break
        await instance.control("clock", days=0.25 if day < 4 else 1.5)
        await asyncio.sleep(3)
    await instance.control("clock", hours=1)
    await asyncio.sleep(5)
    first = await asyncio.to_thread(instance.command, "reconcile")  # what was lost is asked for; jobs finish it
    await asyncio.sleep(5)
    await instance.control("clock", hours=1)
    await asyncio.sleep(5)
    last = await asyncio.to_thread(instance.command, "reconcile")
    verdict = await instance.asked(judge)
    if last.returncode:
        verdict.faults.append(f"exchange reconcile ended with {last.returncode}: {last.stdout} {last.stderr[-500:]}")
    verdict.told["talks that lapsed"] = sum(script.deal is None for script in scripts)
    print(f"first reconcile: {first.stdout.strip()}\nlast reconcile: {last.stdout.strip()}")
    return report(asked, instance, tally, struck, verdict, time.monotonic() - begun)


async def disturbances(instance: Instance) -> Counter[str]:
    """What the sandbox did on purpose."""
    faults = json.loads(await instance.asked(lambda c: c.fetchval(PLANNED)))
    struck: Counter[str] = Counter()
    for planned in faults["calls"]:
        struck[f"{planned['method']} {planned['kind']}"] += STRUCK - planned["times"]
    for row in await instance.asked(lambda c: c.fetch(DELIVERED)):
        struck["webhooks sent again"] += row["more"]
        if row["state"] in {"dropped", "given_up"}:
            struck[f"webhooks {row['state']}"] += row["n"]
    return struck


def say(begun: float, instance: Instance, what: str, tally: Tally) -> None:
    print(
        f"{time.monotonic() - begun:6.0f} s  {what}; {instance.kills.total()} kills, {tally.requests} requests, "
        f"{tally.turned_away.total()} turned away, complaints: {dict(tally.complaints.most_common(3))}",
        flush=True,
    )


def report(
    asked: argparse.Namespace, instance: Instance, tally: Tally, struck: Counter[str], verdict: Verdict, spent: float
) -> int:
    def listed(counts: Counter[str]) -> str:
        return ", ".join(f"{n} {name}" for name, n in counts.most_common()) or "none"

    print(f"\nseed {asked.seed}, {spent:.0f} s, {tally.requests} requests")
    print(f"kills survived    {instance.kills.total()}: {listed(instance.kills)}")
    print(f"faults injected   {struck.total()}: {listed(struck)}")
    print(f"turned away       {tally.turned_away.total()}: {listed(tally.turned_away)}")
    print(f"complaints        {tally.complaints.total()}: {listed(tally.complaints)}")
    print(f"told              {listed(verdict.told)}")
    print(f"differences       {len(verdict.faults)}")
    for fault in verdict.faults:
        print(f"  {fault}")
    return 1 if verdict.faults or tally.complaints else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deals", type=int, default=300)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--pause", type=float, default=4, help="seconds between two kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="leave the data and the logs behind")
    asked = parser.parse_args()
    with serving(asked.workers, asked.keep) as instance:
        print(f"seed {asked.seed}; data in {instance.folder}", flush=True)
        sys.exit(asyncio.run(run(asked, instance)))


if __name__ == "__main__":
    main()
