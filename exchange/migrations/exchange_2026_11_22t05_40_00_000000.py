"""What comes back from receivers counts against what went out; one dispute's end is booked before anything moves.

A reversal is written before the refund it is for, in one transaction: so its key to the refund is checked at commit.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T05:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: reversals within their leg, refunds after release within what came back"

STATEMENTS = (
    "update dispute set over = true where status in ('won', 'warning_closed', 'prevented')",
    "alter table ledger_entry drop constraint known_account, add constraint known_account check (account in ('stripe', "
    "'bank', 'held', 'commission', 'vat', 'fees', 'surplus', 'receivable', 'disputed', 'losses', 'external'))",
    "alter table transfer_reversal alter constraint transfer_reversal_refund_id_fkey deferrable initially deferred",
    "create unique index reversal_operation on stripe_operation (subject_id) "
    "where kind = 'reversal' and state <> 'failed'",
    "create index transfer_reversal_short on transfer_reversal (created_at) where state = 'short'",
    "create index dispute_open on dispute (payment_id) where not over",
    """
create or replace function payment_not_overspent() returns trigger language plpgsql as $$
declare wrong record;
begin
    select p.id, p.received_minor, o.minor into wrong from payment p join (
        select payment_id, sum(minor) as minor from (
            select payment_id, amount_minor as minor from release_leg
                where payment_id in (select a.payment_id from added a)
            union all
            select l.payment_id, -r.amount_minor from transfer_reversal r join release_leg l on l.id = r.leg_id
                where l.payment_id in (select a.payment_id from added a) and r.state <> 'dropped'
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
    """
create function leg_not_overreversed() returns trigger language plpgsql as $$
declare wrong record;
begin
    select l.id, l.amount_minor, sum(r.amount_minor) as back into wrong
        from transfer_reversal r join release_leg l on l.id = r.leg_id
        where l.id in (select a.leg_id from added a) and r.state <> 'dropped'
        group by l.id having sum(r.amount_minor) > coalesce(l.amount_minor, 0) limit 1;
    if found then
        raise exception 'leg % sent % and would give back %', wrong.id, wrong.amount_minor, wrong.back
            using errcode = 'check_violation';
    end if;
    return null;
end $$
""",
    *(
        f"create trigger transfer_reversal_within_{event} after {event} on transfer_reversal "
        "referencing new table as added for each statement execute function leg_not_overreversed()"
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
