"""A dispute is answered once: its kinds of operation, one answer on its way or there, one operation a paper."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T17:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: a dispute is answered once"

STATEMENTS = (
    "alter table stripe_operation drop constraint known_kind, add constraint known_kind check (kind in "
    "('account.create', 'customer.create', 'checkout.create', 'session.expire', 'pi.cancel', 'refund', 'cash.return', "
    "'transfer', 'reversal', 'evidence.file', 'evidence'))",
    "create unique index rebuttal_once on rebuttal (dispute_id) where state <> 'refused'",
    "create unique index evidence_operation on stripe_operation (subject_id) "
    "where kind in ('evidence.file', 'evidence') and state <> 'failed'",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
