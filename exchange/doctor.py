"""`exchange doctor`: looks at every part and says what is wrong and how to mend it."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx

from exchange.database import fetch, fetchrow, fetchval
from exchange.settings import settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found. ``mend`` says what to do when ``ok`` is False."""

    part: str
    ok: bool
    told: str
    mend: str = ""


async def examine() -> AsyncIterator[Finding]:
    """Look at one part after another; a look that fails is a finding, not a crash."""
    for part, look in LOOKS:
        try:
            found = await look()
            yield Finding(part, *found) if isinstance(found, tuple) else found
        except httpx.TransportError as e:
            told = f"{e.request.url.copy_with(path='/')} does not answer ({type(e).__name__})"
            yield Finding(part, False, told, "Its log says why; stop the exchange and start it again.")
        except (OSError, asyncpg.PostgresError, httpx.HTTPError, ValueError) as e:
            yield Finding(part, False, f"{type(e).__name__}: {e}", "See the message; then run exchange doctor again.")


Look = Callable[[], Awaitable[tuple[bool, str, str]]]


async def _python() -> tuple[bool, str, str]:
    ok = sys.version_info >= (3, 11)
    return ok, f"Python {platform.python_version()} on {platform.system()}", "Use Python 3.11 or newer."


async def _packages() -> tuple[bool, str, str]:
    names = ("litestar", "piccolo", "stripe", "pydantic", "jinja2")
    return True, ", ".join(f"{n} {version(n)}" for n in names), ""


async def _server() -> tuple[bool, str, str]:
    number = int(await fetchval("show server_version_num"))
    told = f"PostgreSQL {await fetchval('show server_version')}"
    return number >= 180000, told, "Use PostgreSQL 18 or newer, or leave DATABASE_URL unset for the embedded one."


async def _extensions() -> tuple[bool, str, str]:
    wanted = {"citext", "pg_trgm", "unaccent", "btree_gist"}
    there = {r["extname"] for r in await fetch("select extname from pg_extension")}
    return (
        wanted <= there,
        ", ".join(sorted(wanted & there)),
        f"Run exchange migrate as a user who may: {wanted - there}.",
    )


async def _migrations() -> tuple[bool, str, str]:
    folder = Path(__file__).parent / "migrations"
    wanted = len(list(folder.glob("exchange_*.py")))
    there = await fetchval("select count(*) from migration where app_name = 'exchange'")
    return wanted == there, f"{there} of {wanted} migrations applied", "Run exchange migrate."


async def _queue() -> tuple[bool, str, str]:
    row = await fetchrow(
        "select count(*) filter (where status = 'failed') held, "
        "count(*) filter (where status = 'queued' and execute_after < now() - interval '5 minutes') late from pgqueuer"
    )
    held, late = (row["held"], row["late"]) if row else (0, 0)
    told = f"{held} jobs held after failing, {late} late by more than five minutes"
    return not held and not late, told, "Held: read the worker's log. Late: is a worker running? Start exchange worker."


async def _stripe() -> tuple[bool, str, str]:
    key = settings().stripe_secret_key
    if key is None:
        return False, "no key and no sandbox", "Run under exchange serve (starts the sandbox) or set STRIPE_SECRET_KEY."
    base = settings().stripe_api_base or "https://api.stripe.com"
    async with httpx.AsyncClient(timeout=10) as http:
        answer = await http.get(f"{base}/v1/balance", headers={"Authorization": f"Bearer {key.get_secret_value()}"})
    kind = "sandbox" if settings().stripe_api_base else "live" if "_live_" in key.get_secret_value() else "test mode"
    return (
        answer.is_success,
        f"{kind}, answered {answer.status_code}",
        "Check STRIPE_SECRET_KEY in the Stripe dashboard.",
    )


async def _webhooks() -> tuple[bool, str, str]:
    ok = bool(settings().stripe_webhook_secrets)
    told = f"{len(settings().stripe_webhook_secrets)} signing secrets"
    return ok, told, "Set STRIPE_WEBHOOK_SECRETS: without one, payments are found by polling only."


async def _smtp() -> tuple[bool, str, str]:
    url = settings().smtp_url
    if url is None:
        ok = settings().mode != "serve"
        return ok, "no mail server: mails stay in the outbox", "Set SMTP_URL so that mails leave."
    there = urlsplit(url.get_secret_value())
    with socket.create_connection((there.hostname or "", there.port or 587), timeout=5):
        return True, f"{there.hostname} answers", ""


async def _site() -> tuple[bool, str, str]:
    async with httpx.AsyncClient(timeout=10) as http:
        answer = await http.get(f"{settings().base_url}/healthz")
    return answer.status_code == 200, f"{settings().base_url} answered {answer.status_code}", "Start exchange serve."


async def _secrets() -> tuple[bool, str, str]:
    key = settings().secret_key.get_secret_value()
    if len(key) < 32 or "tests" in key:
        return False, "no secret key of its own", "Set SECRET_KEY to 32 random letters or more, or run exchange serve."
    file = settings().data_dir / "secrets.json"
    if file.exists() and os.name != "nt" and file.stat().st_mode & 0o077:
        return False, f"others on this machine may read {file}", f"Run chmod 600 {file}."
    return True, "secret key set, readable by its owner only", ""


async def _disk() -> tuple[bool, str, str]:
    free = shutil.disk_usage(settings().data_dir if settings().data_dir.exists() else Path.cwd()).free
    return free > 2**30, f"{free / 2**30:.1f} GiB free", "Free some space: PostgreSQL stops writing on a full disk."


async def _books() -> tuple[bool, str, str]:
    crooked = await fetchval(
        "select count(*) from "
        "(select 1 from ledger_entry group by posting_id, currency having sum(amount_minor) <> 0) crooked"
    )
    return crooked == 0, f"{crooked} unbalanced postings", "Never happens by our own writes: stop releases, call us."


async def _invoices() -> tuple[bool, str, str]:
    waiting = {
        row["waits_for"]: row["n"]
        for row in await fetch("select waits_for, count(*) as n from paper_due group by waits_for")
    }
    told = ", ".join(f"{n} deals wait for {whom}" for whom, n in sorted(waiting.items())) or "none waits"
    ok = not {"exchange", "rate", "refused"} & waiting.keys()
    mend = (
        "Set EXCHANGE_NAME and those beside it; load the rates (exchange rates FILE, or RATES_URL); look at refused "
        "papers on their deals' pages."
    )
    return ok, told, mend


LOOKS: list[tuple[str, Look]] = [
    ("python", _python),
    ("packages", _packages),
    ("postgresql", _server),
    ("extensions", _extensions),
    ("migrations", _migrations),
    ("jobs", _queue),
    ("payments", _stripe),
    ("webhooks", _webhooks),
    ("books", _books),
    ("invoices", _invoices),
    ("mail", _smtp),
    ("website", _site),
    ("secrets", _secrets),
    ("disk", _disk),
]
