"""The reference rates the exchange holds."""

from datetime import date

from exchange.database import fetch, fetchval
from exchange.settlement.rules.rates import Conversion, Quote, conversion


async def conversion_on(day: date, source: str, target: str) -> Conversion | None:
    """From ``source`` to ``target`` by the rates of ``day``; ``None`` while they are not among the exchange's."""
    rows = await fetch(
        "select currency, per_euro from reference_rate where day = $1 and currency = any($2)", day, [source, target]
    )
    return conversion(day, source, target, {r["currency"]: Quote(day, r["currency"], r["per_euro"]) for r in rows})


async def rates_until() -> date | None:
    """The latest day whose rates the exchange holds."""
    found: date | None = await fetchval("select max(day) from reference_rate")
    return found
