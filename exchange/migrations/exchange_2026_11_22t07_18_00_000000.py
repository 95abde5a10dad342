"""What the database promises about receivers, strikes and suspensions, beyond plain tables."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T07:18:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: orders are kept as they were made, one strike per deal, one open suspension per company"

STATEMENTS = (
    # a company that may begin no deal has traded all the same: its past still counts, and its number is still taken
    """
    create or replace view insight_trade as
        select f.*, s.legal_group_id as seller_group, b.legal_group_id as buyer_group
        from insight_fact f
        join company s on s.id = f.seller and s.vetting in ('vetted', 'stopped')
        join company b on b.id = f.buyer and b.vetting in ('vetted', 'stopped')
        where s.legal_group_id <> b.legal_group_id
          and not exists (select from insight_void v where v.trade_id = f.trade_id)
    """,
    "drop index company_vetted_once",
    "create unique index company_vetted_once on company (country, registration) where vetting in ('vetted', 'stopped')",
    "alter table company drop constraint known_vetting, add constraint known_vetting "
    "check (vetting in ('awaiting', 'vetted', 'refused', 'stopped'))",
    *(
        f"create trigger {table}_append_only before update or delete on {table} "
        "for each statement execute function refuse_change()"
        for table in ("payout_order", "payout_part")
    ),
    "create unique index strike_once on strike (deal_id, company_id) where deal_id is not null",
    "create unique index suspension_open on suspension (company_id) where state in ('noticed', 'suspended')",
    "create index suspension_clock on suspension (starts_at) where state = 'noticed'",
    "create index deal_ended_by_seller on deal (seller_company_id, closed_at) where closed_at is not null",
    "create index deal_ended_by_buyer on deal (buyer_company_id, closed_at) where closed_at is not null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
