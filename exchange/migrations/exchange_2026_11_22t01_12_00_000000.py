"""E-mail addresses without case, one vetted company per register number, and the indexes the door asks."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T01:12:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "people and companies: citext, partial indexes"

STATEMENTS = (
    "alter table person alter column email type citext",
    "alter table invitation alter column email type citext",
    # an unvetted double is allowed: refusing it at sign-up would tell anybody who is a member
    "create unique index company_vetted_once on company (country, registration) where vetting = 'vetted'",
    "create index company_awaiting on company (created_at) where vetting = 'awaiting'",
    "create index session_live on session (person_id, last_seen_at desc) where revoked_at is null",
    "create index mail_unsent on mail (due_at) where sent_at is null",
    "create unique index invitation_open_once on invitation (company_id, email)"
    " where accepted_at is null and withdrawn_at is null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
