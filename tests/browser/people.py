"""People and companies put straight into a running exchange's database, so that a journey starts where it matters."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import piccolo_conf
from exchange.accounts.actions.passwords import hash_password
from exchange.actor import Role
from tests.factories import make_company, make_person

PASSWORD = "le cheval agrafe la pile"  # the people of this test only
T = TypeVar("T")


@dataclass(frozen=True)
class Someone:
    """Who signs in, and the names nobody may read before agreement."""

    email: str
    legal_name: str
    trading_name: str
    person: str
    language: str


@contextmanager
def pointed_at(database_url: str) -> Iterator[None]:
    """This process's engine works on that database for the length of the block."""
    before = piccolo_conf.DB.config["dsn"]
    piccolo_conf.DB.config["dsn"] = database_url
    try:
        yield
    finally:
        piccolo_conf.DB.config["dsn"] = before


def in_database(database_url: str, work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work`` against that database, in a thread of its own: Playwright's loop runs in this one."""

    async def run() -> T:
        return await work()

    with pointed_at(database_url), ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


async def merchant_and_competitor() -> tuple[Someone, Someone]:
    """A French merchant with surplus and an English-speaking competitor, both owners of vetted companies."""
    kept = await hash_password(PASSWORD)
    seller = await make_company(legal_name="Atelier Kervran SAS", trading_name="Kervran Nautisme")
    buyer = await make_company(legal_name="Dunmore Chandlers SARL", trading_name="Dunmore & Co")
    await make_person(
        seller,
        role=Role.OWNER,
        name="Soazig Kervran",
        email="soazig@kervran.example",
        language="fr",
        password_hash=kept,
    )
    await make_person(
        buyer, role=Role.OWNER, name="Niall Dunmore", email="niall@dunmore.example", language="en", password_hash=kept
    )
    return (
        Someone("soazig@kervran.example", "Atelier Kervran SAS", "Kervran Nautisme", "Soazig Kervran", "fr"),
        Someone("niall@dunmore.example", "Dunmore Chandlers SARL", "Dunmore & Co", "Niall Dunmore", "en"),
    )
