"""After the storm: do the exchange's books, the deals and what the sandbox really did tell the same story?"""

from collections import Counter
from dataclasses import dataclass, field

import asyncpg


@dataclass
class Verdict:
    """``faults`` is empty when everything agrees; ``told`` is what was counted."""

    told: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


#: Each finds rows that must not exist; the name says what they would mean.
NEVER = {
    "an agreement without its deal": """
        select id::text from negotiation n where state = 'agreed'
        and not exists (select from deal d where d.negotiation_id = n.id)""",
    "a deal paid twice": """
        select deal_id::text from payment where state = 'paid' group by 1 having count(*) > 1""",
    "a charge that no payment knows": """
        select o.id from sandbox.object o where kind = 'charge' and account is null and doc->>'status' = 'succeeded'
        and not exists (select from payment p where p.charge_id = o.id)""",
    "a surplus charge not given back whole": """
        select p.charge_id from payment p join sandbox.object o on o.id = p.charge_id
        where p.state = 'surplus' and o.doc->>'amount_refunded' <> o.doc->>'amount'""",
    "a payment booked that Stripe never had": """
        select id::text from payment p where state in ('paid', 'surplus') and not exists (select from sandbox.object o
        where o.id = p.charge_id and (o.doc->>'amount_captured')::bigint = p.received_minor)""",
    "a transfer that no leg knows": """
        select o.id from sandbox.object o where kind = 'transfer' and not exists (
            select from release_leg l where l.transfer_id = o.id)
        and not (doc->>'reversed')::bool""",
    "a leg with two transfers": """
        select o.subject_id::text from stripe_operation o join sandbox.object t
            on t.kind = 'transfer' and t.doc->'metadata'->>'operation_id' = o.id::text
            and not (t.doc->>'reversed')::bool
        group by 1 having count(*) > 1""",
    "a leg whose transfer has another amount": """
        select l.id::text from release_leg l join sandbox.object t on t.id = l.transfer_id
        where (t.doc->>'amount')::bigint <> l.amount_minor""",
    "a refund at Stripe that we do not know": """
        select o.id from sandbox.object o where kind = 'refund' and account is null and doc->>'charge' is not null
        and not exists (select from refund r where r.refund_id = o.id and r.amount_minor = (doc->>'amount')::bigint)""",
    "a refund made twice": """
        select o.subject_id::text from stripe_operation o join sandbox.object t
            on t.kind = 'refund' and t.doc->'metadata'->>'operation_id' = o.id::text
        group by 1 having count(*) > 1""",
    "an event twice in the inbox": "select event_id from stripe_event group by 1 having count(*) > 1",
    "an event never handled": "select event_id || ' ' || type from stripe_event where handled_at is null",
    "an operation without an end": """
        select kind || ' ' || state || ' ' || last_error from stripe_operation where state not in ('done', 'failed')""",
    "a posting that is not balanced": """
        select posting_id::text from ledger_entry group by posting_id, currency having sum(amount_minor) <> 0""",
    "an ended deal that still holds money": """
        select d.id::text || ' ' || d.state from deal d join ledger_entry e on e.deal_id = d.id and e.account = 'held'
        where d.closed_at is not null group by d.id having sum(e.amount_minor) <> 0""",
    "more held than there is": """
        select e.deal_id::text from ledger_entry e where e.account = 'held'
        group by 1 having sum(e.amount_minor) > 0""",
    "sold units beyond the lot": "select id::text from lot where reserved + sold > quantity",
    "a deal with no end and no reason": """
        select d.id::text || ' ' || d.state || ' since ' || d.since || coalesce(' due ' || d.due_at, '')
        from deal d where d.closed_at is null
        and not exists (select from release_leg l where l.deal_id = d.id and l.state = 'parked')
        and not exists (select from payment p join dispute x on x.payment_id = p.id where p.deal_id = d.id
                        and not x.over)""",
}

BALANCES = """
select coalesce(ours.currency, theirs.currency) as currency, coalesce(ours.minor, 0)::bigint as ours,
       coalesce(theirs.minor, 0)::bigint as theirs
from (select currency, sum(amount_minor) as minor from ledger_entry where account = 'stripe' group by 1) ours
full join (select upper(doc->>'currency') as currency, sum((doc->>'net')::bigint) as minor from sandbox.object
           where kind = 'balance_transaction' and account is null group by 1) theirs using (currency)
"""


async def judge(connection: "asyncpg.Connection[asyncpg.Record]") -> Verdict:
    """Lay the books, the deals and the sandbox beside each other."""
    verdict = Verdict()
    for meaning, sql in NEVER.items():
        found = [row[0] for row in await connection.fetch(sql)]
        if found:
            verdict.faults.append(f"{len(found)} x {meaning}: {', '.join(found[:5])}")
    for row in await connection.fetch(BALANCES):
        verdict.told[f"balance {row['currency']}"] = row["theirs"]
        if row["ours"] != row["theirs"]:
            verdict.faults.append(f"{row['currency']}: our books say {row['ours']}, Stripe {row['theirs']}")
    for name, sql in {
        "charges": "select count(*) from sandbox.object where kind = 'charge' and account is null"
        " and doc->>'status' = 'succeeded'",
        "transfers": "select count(*) from sandbox.object where kind = 'transfer'",
        "refunds": "select count(*) from sandbox.object where kind = 'refund' and account is null",
        "disputes": "select count(*) from dispute",
        "surplus payments": "select count(*) from payment where state = 'surplus'",
        "events taken in": "select count(*) from stripe_event",
        "events only the poll brought": "select count(*) from stripe_event where source = 'poll'",
        "operations asked more than once": "select count(*) from stripe_operation where attempts > 1",
        "operations renewed": "select count(*) from stripe_operation where last_error like 'proven absent%'",
    }.items():
        verdict.told[name] = await connection.fetchval(sql)
    for row in await connection.fetch("select state, count(*) as n from deal group by 1 order by 2 desc"):
        verdict.told[f"deals {row['state']}"] = row["n"]
    return verdict
