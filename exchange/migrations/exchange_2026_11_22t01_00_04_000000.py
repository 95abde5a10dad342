"""Extensions, pgqueuer's own tables, and the trigger function that keeps append-only tables append-only."""

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T01:00:04:000000"
VERSION = "1.38.0"
DESCRIPTION = "extensions, job queue, append-only journal"

EXTENSIONS = ("citext", "pg_trgm", "unaccent", "btree_gist")

APPEND_ONLY = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger journal_entry_append_only before update or delete on journal_entry
    for each row execute function refuse_change();
create trigger journal_entry_no_truncate before truncate on journal_entry
    for each statement execute function refuse_change();
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for extension in EXTENSIONS:
            await execute(f"create extension if not exists {extension}")
        await execute(QueryBuilderEnvironment().build_install_query())
        await execute(APPEND_ONLY)

    manager.add_raw(run)
    return manager
