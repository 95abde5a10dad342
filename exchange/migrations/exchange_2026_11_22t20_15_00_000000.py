"""The number beside Talks is part of a remembered viewer: whatever moves it is announced like the rest of him."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T20:15:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "announce what awaits a company"

ANNOUNCE = """
create function announce_waiting() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'negotiation' then
        perform pg_notify('viewers', 'waiting ' || company)
            from unnest(array[old.turn_company_id, new.turn_company_id]) company where company is not null;
    else
        perform pg_notify('viewers', 'waiting ' || new.seller_company_id);
    end if;
    return null;
end $$;
create trigger negotiation_announces after update of turn_company_id on negotiation
    for each row when (old.turn_company_id is distinct from new.turn_company_id) execute function announce_waiting();
create trigger quote_request_announces after insert or update of state on quote_request
    for each row execute function announce_waiting();
"""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        await execute(ANNOUNCE)

    manager.add_raw(run)
    return manager
