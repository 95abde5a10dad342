"""The operator's claims desk, account statements, and the ledger for an accountant."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from litestar import Response, get
from litestar.params import FromQuery
from litestar.response import Stream

from exchange.clock import now
from exchange.errors import N_, Invalid
from exchange.settlement.queries.deals import awaiting_decision
from exchange.settlement.queries.ledger import currencies, entries, statement
from exchange.settlement.rules import fec, timeline
from exchange.settlement.rules.books import Account
from exchange.web.guards import operator
from exchange.web.render import Web, language_of, render
from exchange.web.translations import say

LINES = 200


class NotAPeriod(Invalid):
    message = N_("Give two days, the first before the second, as 2026-01-31.")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in France, the last one included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time(), fec.ZONE)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), fec.ZONE)


@get("/operator/claims", guards=[operator])
async def claims_desk(request: Web) -> Response[str]:
    """What waits for the operator's decision, the longest first."""
    return render(request, "operator/claims.html", deals=await awaiting_decision(), names=timeline.STATE_NAMES)


@get("/operator/money/statement", guards=[operator])
async def account_statement(
    request: Web,
    account: FromQuery[str] = Account.HELD,
    currency: FromQuery[str] = "EUR",
    first: FromQuery[str] = "",
    last: FromQuery[str] = "",
    after: FromQuery[int | None] = None,
) -> Response[str]:
    """One account, entry by entry, with its balance after each."""
    asked = Account(account) if account in set(Account) else Account.HELD
    known = await currencies() or ["EUR"]
    money = currency if currency in known else known[0]
    period = _period(first, last)
    found = await statement(asked, money, period.since, period.until, after=after, limit=LINES + 1)
    here = f"/operator/money/statement?account={asked}&currency={money}&first={period.first}&last={period.last}"
    return render(
        request,
        "operator/statement.html",
        account=asked,
        currency=money,
        period=period,
        statement=found,
        lines=found.lines[:LINES],
        accounts=timeline.ACCOUNTS,
        moved=timeline.MOVED,
        currencies=known,
        next_href=f"{here}&after={found.lines[LINES - 1].id}" if len(found.lines) > LINES else None,
        first_href=here if after else None,
    )


@get("/operator/money/export.csv", guards=[operator])
async def export_csv(request: Web, first: FromQuery[str] = "", last: FromQuery[str] = "") -> Stream:
    """For a spreadsheet: semicolons, and the mark by which Excel knows UTF-8."""
    return _export(request, _period(first, last), ";", "\ufeff", "csv")


@get("/operator/money/export.txt", guards=[operator])
async def export_txt(request: Web, first: FromQuery[str] = "", last: FromQuery[str] = "") -> Stream:
    """For an accountant's program: tabs, as the decree has it."""
    return _export(request, _period(first, last), "\t", "", "txt")


def _export(request: Web, period: Period, separator: str, mark: str, ending: str) -> Stream:
    language = language_of(request)

    async def lines() -> AsyncIterator[str]:
        yield mark + fec.line(fec.COLUMNS, separator)
        async for found in entries(period.since, period.until):
            yield "".join(
                fec.line(
                    fec.row(
                        number=entry.number,
                        at=entry.at,
                        account=entry.account,
                        name=say(language, timeline.ACCOUNTS[entry.account]),
                        piece=str(entry.deal_id or entry.reference),
                        text=" – ".join(filter(None, (say(language, timeline.MOVED[entry.fact]), entry.label))),
                        amount=entry.amount,
                    ),
                    separator,
                )
                for entry in found
            )

    name = f"confrere-{period.first:%Y%m%d}-{period.last:%Y%m%d}.{ending}"
    return Stream(
        lines,
        media_type="text/csv; charset=utf-8" if ending == "csv" else "text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
    )


def _period(first: str, last: str) -> Period:
    """The days asked for, else this month so far."""
    today = now().astimezone(fec.ZONE).date()
    try:
        period = Period(
            date.fromisoformat(first) if first else today.replace(day=1), date.fromisoformat(last) if last else today
        )
    except ValueError as e:
        raise NotAPeriod from e
    if not date(2000, 1, 1) <= period.first <= period.last < date(2100, 1, 1):
        raise NotAPeriod
    return period


HANDLERS: list[Any] = [claims_desk, account_statement, export_csv, export_txt]
