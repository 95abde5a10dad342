"""The sellers' year as the ledger has it, for the report to the tax authorities."""

from collections import defaultdict
from datetime import date
from uuid import UUID

import asyncpg

from exchange.database import fetch
from exchange.errors import N_, Conflict
from exchange.money import Money
from exchange.settlement.queries.papers import exchange_party
from exchange.settlement.rules.dac7 import Quarter, Seller, table
from exchange.settlement.rules.invoices import Address, Party


class ExchangeUnknown(Conflict):
    """The report names who reports."""

    message = N_("Set EXCHANGE_NAME and those beside it first: the report names the platform.")


async def dac7(year: int) -> str:
    """The report of ``year`` as CSV. Raises ExchangeUnknown.

    What reached a seller is what left the held money of its deals for receivers of its choice, less what came back; the
    quarter is that of the movement, by Paris' calendar.
    """
    platform = exchange_party()
    if platform is None:
        raise ExchangeUnknown
    rows = await fetch(
        """
        select d.seller_company_id as company, e.currency,
            extract(quarter from p.at at time zone 'Europe/Paris')::int as quarter,
            coalesce(sum(e.amount_minor) filter (where e.account = 'held' and p.fact in ('transferred', 'reversed')
                or e.account = 'receivable' and p.fact = 'recovered'), 0)::bigint as paid,
            coalesce(-sum(e.amount_minor) filter (where e.account in ('commission', 'vat')), 0)::bigint as fees,
            count(distinct d.id) filter (where p.fact = 'transferred') as sales
        from ledger_posting p join ledger_entry e on e.posting_id = p.id join deal d on d.id = p.deal_id
        where p.at at time zone 'Europe/Paris' >= $1 and p.at at time zone 'Europe/Paris' < $2
            and p.fact in ('transferred', 'reversed', 'recovered', 'earned', 'given_back')
        group by 1, 2, 3
        """,
        date(year, 1, 1),
        date(year + 1, 1, 1),
    )
    years: dict[tuple[UUID, str], dict[int, Quarter]] = defaultdict(dict)
    for row in rows:
        currency = row["currency"]
        years[row["company"], currency][row["quarter"]] = Quarter(
            row["sales"], Money(row["paid"], currency), Money(row["fees"], currency)
        )
    companies = await fetch(
        "select c.id, c.legal_name, c.registration, c.vat, c.country, coalesce(i.street, '') as street, "
        "coalesce(i.postcode, '') as postcode, coalesce(i.city, c.region) as city, "
        "coalesce(a.account_id, '') as account from company c left join invoicing i on i.company_id = c.id "
        "left join payout_account a on a.company_id = c.id and a.standing = 'current' "
        "where c.id = any($1) order by c.legal_name, c.id",
        list({company for company, _ in years}),
    )
    sellers = [
        Seller(_party(row), row["account"], currency, years[row["id"], currency])
        for row in companies
        for currency in sorted(currency for company, currency in years if company == row["id"])
    ]
    return table(year, platform, sellers)


def _party(row: asyncpg.Record) -> Party:
    address = Address(row["street"], row["postcode"], row["city"], row["country"])
    return Party(row["legal_name"], row["registration"], row["vat"], address)
