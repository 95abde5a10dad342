"""The newest request of a seller is found at once: its open pages ask for it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T15:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "offers: the newest request of a seller"

STATEMENTS = ("create index quote_request_newest on quote_request (seller_company_id, asked_at desc)",)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
