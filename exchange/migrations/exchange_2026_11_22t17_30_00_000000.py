"""A deal may be paid and wait for its lot's threshold; a threshold never changes, and is decided once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T17:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "listings, settlement: lots sold only if enough of them is paid"

STATEMENTS = (
    "alter table deal drop constraint known_state",
    """
    alter table deal add constraint known_state check (state in ('awaiting_payment', 'pooled', 'paid', 'ready',
        'uncollected', 'shipped', 'overdue', 'delivered', 'claimed', 'operator', 'closing', 'settled',
        'partly_refunded', 'refunded', 'unpaid'))
    """,
    """
    create function keep_threshold() returns trigger language plpgsql as $$
    begin
        raise exception 'the threshold of a lot never changes and is decided once' using errcode = 'check_violation';
    end $$
    """,
    """
    create trigger keep_threshold before update of threshold, threshold_state on lot
    for each row when (old.threshold is distinct from new.threshold
        or old.threshold_state <> 'open' and old.threshold_state is distinct from new.threshold_state)
    execute function keep_threshold()
    """,
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
