"""When a company was first let trade, whoever writes its row; those that trade no longer are few, and every page of the
market leaves their lots out.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T14:23:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "companies: once let trade"

STATEMENTS = (
    """
    create function note_vetted() returns trigger language plpgsql as $$
    begin
        new.vetted_at := new.vetting_changed_at;
        return new;
    end $$
    """,
    """
    create trigger note_vetted before insert or update of vetting on company
    for each row when (new.vetted_at is null and new.vetting in ('vetted', 'stopped')) execute function note_vetted()
    """,
    "drop index company_stopped",
    "create index company_no_longer on company (id) where vetting <> 'vetted' and vetted_at is not null",
    """
    update company c set vetted_at = coalesce(
        (select min(j.at) from journal_entry j where j.subject_id = c.id and j.fact = 'company.vetted'),
        case when c.vetting in ('vetted', 'stopped') then c.vetting_changed_at end)
    """,
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
