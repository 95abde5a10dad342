"""The European Central Bank's reference rates are taken in; papers that waited for them are written."""

import logging

import httpx

from exchange.clock import now
from exchange.database import fetch, transaction
from exchange.jobs import enqueue
from exchange.settings import settings
from exchange.settlement.queries.papers import local_day
from exchange.settlement.queries.rates import rates_until
from exchange.settlement.rules.rates import RateChanged, quoted_on, read_rates

log = logging.getLogger(__name__)


async def load_rates(content: bytes) -> int:
    """Take in a file of the bank's, whole or not at all; how many rates were new. Raises NotRates, RateChanged."""
    quotes = read_rates(content)
    asked = [q.day for q in quotes], [q.currency for q in quotes], [q.per_euro for q in quotes]
    async with transaction():
        changed = await fetch(
            "select r.day, r.currency, r.per_euro as known, q.per_euro as told from reference_rate r "
            "join unnest($1::date[], $2::text[], $3::numeric[]) as q(day, currency, per_euro) "
            "on q.day = r.day and q.currency = r.currency where q.per_euro <> r.per_euro limit 1",
            *asked,
        )
        for row in changed:
            raise RateChanged(day=row["day"], known=row["known"], told=row["told"], currency=row["currency"])
        new = await fetch(
            "insert into reference_rate (id, day, currency, per_euro, loaded_at) "
            "select gen_random_uuid(), q.day, q.currency, q.per_euro, $4 "
            "from unnest($1::date[], $2::text[], $3::numeric[]) as q(day, currency, per_euro) "
            "on conflict (day, currency) do nothing returning id",
            *asked,
            now(),
        )
        for row in await fetch("select deal_id from paper_due where waits_for = 'rate'"):
            await enqueue("deal.papers", row["deal_id"])
    return len(new)


async def fetch_rates() -> None:
    """Ask the source of the settings for the rates of today, unless they are there or there is no source.

    Raises httpx.HTTPError, NotRates, RateChanged: the job is tried again at its next time.
    """
    source = settings().rates_url
    if not source or await rates_until() == quoted_on(local_day(now())):
        return
    async with httpx.AsyncClient(timeout=30, follow_redirects=True) as http:
        answer = await http.get(source)
    log.info("%d new reference rates", await load_rates(answer.raise_for_status().content))
