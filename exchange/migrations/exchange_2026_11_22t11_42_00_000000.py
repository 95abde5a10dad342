"""An operation whose key was used with another body is held until a person has looked."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T11:42:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: operations are held for a person"

STATEMENTS = (
    "alter table stripe_operation drop constraint known_state, add constraint known_state "
    "check (state in ('planned', 'sent', 'done', 'failed', 'unknown', 'held'))",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
