"""Lots found by brand, whatever its accents and case."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T04:15:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "listings: an index of the brands a lot holds"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        await execute(
            "create function fold_each(text[]) returns text[] language sql immutable strict parallel safe"
            " return (select coalesce(array_agg(fold(word)), '{}') from unnest($1) word)"
        )
        await execute(
            "create index lot_brands on lot using gin (fold_each(brands::text[]))"
            " where state in ('open', 'part_sold')"
        )

    manager.add_raw(run)
    return manager
