"""Whose summary is due is asked every minute: a small index of those for whom something waits."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T07:51:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "companies: summaries that are due"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        await execute("create index membership_summary_due on membership (summary_due) where summary_due is not null")

    manager.add_raw(run)
    return manager
