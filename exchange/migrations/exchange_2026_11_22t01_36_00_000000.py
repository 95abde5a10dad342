"""Whatever ends or changes a signed-in person is announced, so that every process forgets whom it remembered."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T01:36:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "announce changed viewers"

ANNOUNCE = """
create function announce_viewer() returns trigger language plpgsql as $$
declare
    changed text := coalesce(to_jsonb(new), to_jsonb(old))
        ->> case tg_table_name when 'membership' then 'person_id' else 'id' end;
begin
    perform pg_notify('viewers', tg_table_name || ' ' || changed);
    return null;
end $$;
create trigger session_announces after update of revoked_at on session
    for each row execute function announce_viewer();
create trigger api_token_announces after update of revoked_at on api_token
    for each row execute function announce_viewer();
create trigger person_announces after update of name, language, zone, is_operator, password_hash on person
    for each row execute function announce_viewer();
create trigger membership_announces after insert or update or delete on membership
    for each row execute function announce_viewer();
create trigger company_announces after update of vetting, trading_name, currency on company
    for each row execute function announce_viewer();
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        await execute(ANNOUNCE)

    manager.add_raw(run)
    return manager
