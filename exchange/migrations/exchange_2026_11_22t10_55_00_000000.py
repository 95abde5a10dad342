"""The money's checks look up each deal, payment and offer they concern, whatever the statistics say of the tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T10:55:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: checks that stay quick while statistics are old"

STATEMENTS = (
    """
create or replace function ledger_balanced() returns trigger language plpgsql as $$
declare wrong record;
begin
    select posting_id, currency, sum(amount_minor) as rest into wrong from added
        group by posting_id, currency having sum(amount_minor) <> 0 limit 1;
    if found then
        raise exception 'posting % does not balance in %: % too much', wrong.posting_id, wrong.currency, wrong.rest
            using errcode = 'check_violation';
    end if;
    select a.deal_id, held.rest into wrong
        from (select distinct deal_id from added where account = 'held') a
        cross join lateral (
            select sum(e.amount_minor) as rest from ledger_entry e
                where e.deal_id = a.deal_id and e.account = 'held'
        ) held
        where held.rest > 0 limit 1;
    if found then
        raise exception 'deal % would give out % more than it holds', wrong.deal_id, wrong.rest
            using errcode = 'check_violation';
    end if;
    return null;
end $$
""",
    """
create or replace function payment_not_overspent() returns trigger language plpgsql as $$
declare wrong record;
begin
    select p.id, p.received_minor, given.minor into wrong
        from (select distinct payment_id from added) a join payment p on p.id = a.payment_id
        cross join lateral (
            select sum(minor) as minor from (
                select l.amount_minor - coalesce((
                    select sum(r.amount_minor) from transfer_reversal r where r.leg_id = l.id and r.state <> 'dropped'
                ), 0) as minor from release_leg l where l.payment_id = p.id
                union all
                select amount_minor from refund where payment_id = p.id and state not in ('failed', 'canceled')
            ) each
        ) given
        where given.minor > p.received_minor limit 1;
    if found then
        raise exception 'payment % brought % and would give out %', wrong.id, wrong.received_minor, wrong.minor
            using errcode = 'check_violation';
    end if;
    return null;
end $$
""",
    """
create or replace function leg_not_overreversed() returns trigger language plpgsql as $$
declare wrong record;
begin
    select l.id, l.amount_minor, given.back into wrong
        from (select distinct leg_id from added) a join release_leg l on l.id = a.leg_id
        cross join lateral (
            select sum(amount_minor) as back from transfer_reversal where leg_id = l.id and state <> 'dropped'
        ) given
        where given.back > coalesce(l.amount_minor, 0) limit 1;
    if found then
        raise exception 'leg % sent % and would give back %', wrong.id, wrong.amount_minor, wrong.back
            using errcode = 'check_violation';
    end if;
    return null;
end $$
""",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
