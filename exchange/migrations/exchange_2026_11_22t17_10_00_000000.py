"""What is owed to a buyer, said once; what was given back by hand, payment by payment."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T17:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: what did not reach the buyer is owed; by hand is by payment"

STATEMENTS = (
    "alter table refund add column owed boolean not null generated always as "
    "(state = 'failed' or state = 'canceled' and refund_id is not null) stored",
    "alter table cash_return add column owed boolean not null generated always as "
    "(state in ('failed', 'canceled')) stored",
    "create index ledger_posting_payment on ledger_posting (payment_id) where payment_id is not null",
    # which payment a posting by hand was about followed from its deal so far; nothing else of the ledger changes
    "alter table ledger_posting disable trigger ledger_posting_append_only",
    "update ledger_posting p set payment_id = x.id from payment x where x.deal_id = p.deal_id and x.state = 'paid' "
    "and exists (select from ledger_entry where posting_id = p.id and account = 'external') "
    r"and (p.fact <> 'external' or p.stripe_object like 're\_%' or p.stripe_object like 'pyr\_%')",
    "alter table ledger_posting enable trigger ledger_posting_append_only",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
