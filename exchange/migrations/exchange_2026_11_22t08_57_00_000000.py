"""Stopped companies are few, and every page of the market leaves their lots out."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T08:57:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "companies: those that are stopped are found at once"

STATEMENTS = ("create index company_stopped on company (id) where vetting = 'stopped'",)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
