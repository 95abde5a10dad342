"""What the operator has set aside stays so."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T16:57:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: what the books cannot hold is set aside, append-only"

STATEMENTS = (
    "create trigger set_aside_is_kept before update or delete or truncate on set_aside "
    "for each statement execute function refuse_change()",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
