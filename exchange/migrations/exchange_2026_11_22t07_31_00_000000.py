"""What the database promises about papers.

* The numbers of one issuer run 1, 2, 3, …: a paper that would leave a gap or repeat a number is refused, whoever asks.
  The issuer's series row is locked while the next number is given, so two writers take turns.
* Papers, the series they stand in and mandates never change and never go.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T07:31:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: gapless numbers, papers that never change"

STATEMENTS = (
    """
create function paper_follows() returns trigger language plpgsql as $$
declare last integer;
begin
    perform from paper_series where issuer_id = new.issuer_id for update;
    select coalesce(max(number), 0) into last from paper where issuer_id = new.issuer_id;
    if new.number <> last + 1 then
        raise exception 'paper % of issuer % cannot follow %', new.number, new.issuer_id, last
            using errcode = 'check_violation';
    end if;
    return new;
end $$
""",
    "create trigger paper_follows before insert on paper for each row execute function paper_follows()",
    *(
        f"create trigger {table}_{name} before {event} on {table} for each statement execute function refuse_change()"
        for table in ("paper", "paper_series", "invoice_mandate")
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
