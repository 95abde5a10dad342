"""What insight promises and the database enforces: append-only facts and releases, and a web role that reads no fact."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T01:28:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "insight: cells, withdrawals, charts, append-only triggers, the web role"

CELLS = """
create table insight_release_cell (
    period varchar(6) not null references insight_release,
    node_id varchar(80) not null,
    metric varchar(24) not null,
    status varchar(13) not null check (status in ('published', 'not_published')),
    value bigint,
    band varchar(5) check (band in ('10-19', '20-49', '50+')),
    primary key (period, node_id, metric),
    check ((status = 'published') = (value is not null)),
    check ((value is null) = (band is null))
);
create index insight_release_cell_node on insight_release_cell (node_id, period);
create table insight_release_withdrawal (
    period varchar(6) not null,
    node_id varchar(80) not null,
    metric varchar(24) not null,
    at timestamptz not null,
    signed_by varchar(120) not null,
    primary key (period, node_id, metric),
    foreign key (period, node_id, metric) references insight_release_cell
);
create table insight_chart (
    edition varchar(40) not null,
    node_id varchar(80) not null,
    panel varchar(100) not null,
    language varchar(2) not null,
    svg text not null,
    primary key (edition, node_id, panel, language)
);
"""

# groups are those of today: a merger applies from the next release. Unvetted companies, trades inside a group and trades
# that were undone do not enter.
TRADES = """
create view insight_trade as
    select f.*, s.legal_group_id as seller_group, b.legal_group_id as buyer_group
    from insight_fact f
    join company s on s.id = f.seller and s.vetting = 'vetted'
    join company b on b.id = f.buyer and b.vetting = 'vetted'
    where s.legal_group_id <> b.legal_group_id
      and not exists (select from insight_void v where v.trade_id = f.trade_id)
"""

# the one door from the web role to the facts: medians of one company's own trades, which it knows anyway
OWN = """
create function insight_own(company uuid) returns table (period varchar, node_id varchar, recovery_bp float8, days float8)
language sql stable security definer set search_path = public, pg_temp as $$
    with own as (
        select f.* from insight_fact f
        where company in (f.seller, f.buyer) and not exists (select from insight_void v where v.trade_id = f.trade_id))
    select own.period, node, percentile_cont(0.5) within group (order by own.recovery_bp),
        percentile_cont(0.5) within group (order by own.days_to_clear)
    from own cross join lateral (
        select distinct node from unnest(array['all', own.sector, own.category, own.leaf]::varchar[]) node) nodes
    group by own.period, node
$$;
create index insight_fact_seller on insight_fact (seller);
create index insight_fact_buyer on insight_fact (buyer);
"""

APPEND_ONLY = (
    "insight_fact",
    "insight_offer_fact",
    "insight_listing_fact",
    "insight_void",
    "insight_release",
    "insight_release_cell",
    "insight_release_withdrawal",
    "insight_private_manifest",
)
UNREADABLE = (
    "insight_fact",
    "insight_offer_fact",
    "insight_listing_fact",
    "insight_void",
    "insight_trade",
    "insight_private_manifest",
)
FROZEN = ("insight_release", "insight_release_cell")

# Roles belong to the whole server: another database's migration may be making this one at the same moment.
ROLE = """
do $$ begin
    if not exists (select from pg_roles where rolname = 'exchange_web') then
        begin
            create role exchange_web nologin;
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise exception 'The role exchange_web is missing and % may not create it.', current_user
                using hint = 'As an administrator: create role exchange_web nologin; grant exchange_web to the owner.';
        end;
    end if;
    if not pg_has_role(current_user, 'exchange_web', 'member') then
        execute format('grant exchange_web to %I', current_user);
    end if;
end $$;
grant usage on schema public to exchange_web;
grant select, insert, update, delete on all tables in schema public to exchange_web;
grant usage, select, update on all sequences in schema public to exchange_web;
alter default privileges in schema public grant select, insert, update, delete on tables to exchange_web;
alter default privileges in schema public grant usage, select, update on sequences to exchange_web;
revoke execute on function insight_own(uuid) from public;
grant execute on function insight_own(uuid) to exchange_web;
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in (CELLS, TRADES, OWN, ROLE):
            await execute(statement)
        for table in APPEND_ONLY:
            await execute(
                f"create trigger {table}_append_only before update or delete or truncate on {table}"
                " for each statement execute function refuse_change()"
            )
        await execute(f"revoke all on {', '.join(UNREADABLE)} from exchange_web")
        await execute(f"revoke insert, update, delete on {', '.join(FROZEN)} from exchange_web")

    manager.add_raw(run)
    return manager
