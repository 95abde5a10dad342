"""What talks need beyond plain tables: one live and one agreed offer per talk, words that stay said, the clock's index."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T01:38:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "offers: one live offer, words that stay said, indexes"

STATEMENTS = (
    "create unique index offer_one_live on offer (negotiation_id) where state = 'live'",
    "create unique index offer_one_agreed on offer (negotiation_id) where state = 'agreed'",
    "create index offer_live_of_lot on offer (lot_id) where state = 'live'",
    "create index negotiation_clock on negotiation (deadline, id) where state = 'live'",
    "create index negotiation_of_buyer on negotiation (buyer_company_id)",
    "create index negotiation_of_seller on negotiation (seller_company_id)",
    "create function keep_said() returns trigger language plpgsql as $$ begin"
    "  if (to_jsonb(new) - '{state,answered_at,answered_by,made_told,answer_told}'::text[])"
    "    is distinct from (to_jsonb(old) - '{state,answered_at,answered_by,made_told,answer_told}'::text[])"
    "    then raise exception 'what an offer says never changes' using errcode = 'integrity_constraint_violation';"
    "  end if;"
    "  if old.state <> 'live' and new.state <> old.state"
    "    then raise exception 'an answered offer stays answered' using errcode = 'integrity_constraint_violation';"
    "  end if;"
    "  return new; end $$",
    "create trigger offer_keeps_its_words before update on offer for each row execute function keep_said()",
    "create trigger offer_is_kept before delete on offer for each row execute function refuse_change()",
    "create trigger lot_copy_is_frozen before update or delete on lot_copy"
    " for each row execute function refuse_change()",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
