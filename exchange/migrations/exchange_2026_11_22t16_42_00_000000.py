"""What is asked of Stripe is frozen with its hash; those already written down get theirs."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T16:42:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: an operation's request never changes"

STATEMENTS = (
    "update stripe_operation set request_hash = encode(sha256(convert_to(request::text, 'UTF8')), 'hex')",
    "create trigger request_is_frozen before update on stripe_operation for each row "
    "when (old.request::text <> new.request::text or (old.id, old.kind, old.subject_id, old.request_hash, "
    "old.api_version, old.livemode) <> (new.id, new.kind, new.subject_id, new.request_hash, new.api_version, "
    "new.livemode)) execute function refuse_change()",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
