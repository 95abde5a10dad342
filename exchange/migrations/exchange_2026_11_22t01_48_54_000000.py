"""What the database promises about money, beyond plain tables.

* One live payment per obligation.
* The ledger only grows, and every statement that adds to it is balanced per posting and currency. The check runs at the
  end of each statement, over the rows it added: stronger than a check at commit, and one pass for a bulk load.
* A deal's held money is never negative; when the deal is closed it is zero, and so it stays until commit.
* What is refunded and transferred of a payment never exceeds what came in.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T01:48:54:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: one live payment, append-only balanced ledger, nothing out that did not come in"

STATEMENTS = (
    "create unique index payment_one_live on payment (obligation_id) where state in ('open', 'processing', 'paid')",
    "create index payment_waiting on payment (created_at) where state in ('open', 'processing')",
    "create unique index payout_account_operation on stripe_operation (subject_id) "
    "where kind = 'account.create' and state <> 'failed'",
    "create unique index customer_operation on stripe_operation (subject_id) "
    "where kind = 'customer.create' and state <> 'failed'",
    "create unique index transfer_operation on stripe_operation (subject_id) "
    "where kind = 'transfer' and state <> 'failed'",
    "create unique index refund_operation on stripe_operation (subject_id) where kind = 'refund' and state <> 'failed'",
    "create index stripe_operation_open on stripe_operation (planned_at) where state in ('planned', 'sent', 'unknown')",
    "create index stripe_event_open on stripe_event (received_at) where handled_at is null",
    "create index deal_clock on deal (due_at) where closed_at is null",
    "create index deal_closing on deal (since) where state = 'closing'",
    "create index release_leg_parked on release_leg (company_id) where state = 'parked'",
    "create index ledger_entry_deal on ledger_entry (deal_id, account) include (amount_minor)",
    *(
        f"create trigger {table}_append_only before update or delete on {table} "
        "for each statement execute function refuse_change()"
        for table in ("ledger_posting", "ledger_entry")
    ),
    *(
        f"create trigger {table}_no_truncate before truncate on {table} "
        "for each statement execute function refuse_change()"
        for table in ("ledger_posting", "ledger_entry")
    ),
    """
create function ledger_balanced() returns trigger language plpgsql as $$
declare wrong record;
begin
    select posting_id, currency, sum(amount_minor) as rest into wrong from added
        group by posting_id, currency having sum(amount_minor) <> 0 limit 1;
    if found then
        raise exception 'posting % does not balance in %: % too much', wrong.posting_id, wrong.currency, wrong.rest
            using errcode = 'check_violation';
    end if;
    select e.deal_id, sum(e.amount_minor) as rest into wrong from ledger_entry e
        where e.account = 'held' and e.deal_id in (select a.deal_id from added a where a.account = 'held')
        group by e.deal_id having sum(e.amount_minor) > 0 limit 1;
    if found then
        raise exception 'deal % would give out % more than it holds', wrong.deal_id, wrong.rest
            using errcode = 'check_violation';
    end if;
    return null;
end $$
""",
    "create trigger ledger_entry_balanced after insert on ledger_entry referencing new table as added "
    "for each statement execute function ledger_balanced()",
    """
create function deal_closed_holds_nothing() returns trigger language plpgsql as $$
declare held bigint;
begin
    select coalesce(-sum(amount_minor), 0) into held from ledger_entry
        where deal_id = new.id and account = 'held';
    if held <> 0 then
        raise exception 'deal % is closed and holds %', new.id, held using errcode = 'check_violation';
    end if;
    return null;
end $$
""",
    "create constraint trigger deal_closed after insert or update of state on deal "
    "deferrable initially deferred for each row when (new.closed_at is not null) "
    "execute function deal_closed_holds_nothing()",
    """
create function payment_not_overspent() returns trigger language plpgsql as $$
declare wrong record;
begin
    select p.id, p.received_minor, o.minor into wrong from payment p join (
        select payment_id, sum(minor) as minor from (
            select payment_id, amount_minor as minor from release_leg
                where payment_id in (select a.payment_id from added a)
            union all
            select payment_id, amount_minor from refund
                where payment_id in (select a.payment_id from added a) and state not in ('failed', 'canceled')
        ) x group by payment_id
    ) o on o.payment_id = p.id where o.minor > p.received_minor limit 1;
    if found then
        raise exception 'payment % brought % and would give out %', wrong.id, wrong.received_minor, wrong.minor
            using errcode = 'check_violation';
    end if;
    return null;
end $$
""",
    *(
        f"create trigger {table}_not_overspent_{event} after {event} on {table} referencing new table as added "
        "for each statement execute function payment_not_overspent()"
        for table in ("release_leg", "refund")
        for event in ("insert", "update")
    ),
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
