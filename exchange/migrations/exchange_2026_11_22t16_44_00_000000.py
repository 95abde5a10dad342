"""Papers may wait for a rate; rates that papers were written with never change."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T16:44:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: papers wait for a rate, rates never change"

STATEMENTS = (
    "alter table paper_due drop constraint known_wait, add constraint known_wait check (waits_for in "
    "('writing', 'seller', 'buyer', 'exchange', 'rate', 'refused'))",
    *(
        f"create trigger reference_rate_{name} before {event} on reference_rate "
        "for each statement execute function refuse_change()"
        for name, event in (("append_only", "update or delete"), ("no_truncate", "truncate"))
    ),
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
