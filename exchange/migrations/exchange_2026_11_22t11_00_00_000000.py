"""Requests end: nobody answered in time, or the lot had nothing left."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T11:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "offers: requests that ran out or lost their lot"

STATEMENTS = (
    "alter table quote_request drop constraint request_known_state",
    "alter table quote_request add constraint request_known_state "
    "check (state in ('asked', 'quoted', 'declined', 'expired', 'closed'))",
    "create index quote_request_waiting on quote_request (seller_company_id) where state = 'asked'",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
