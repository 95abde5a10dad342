"""The number beside Talks, on every page, comes from an index of the talks that wait for somebody."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T05:33:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "offers: an index of whose turn it is"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        await execute("create index negotiation_awaits on negotiation (turn_company_id, deadline) where state = 'live'")

    manager.add_raw(run)
    return manager
