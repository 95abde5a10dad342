"""A refund that came back may be paid another way."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T08:38:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: refunds that came back, paid another way"

STATEMENTS = tuple(
    f"alter table {table} drop constraint known_state, add constraint known_state check (state in ('planned', "
    "'pending', 'requires_action', 'succeeded', 'failed', 'canceled', 'otherwise'))"
    for table in ("refund", "cash_return")
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
