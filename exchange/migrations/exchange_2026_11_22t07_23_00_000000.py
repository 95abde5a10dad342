"""Money from bank transfers that no payment took: its kinds of operation, its account, its way back made once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T07:23:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: operations and account of what lies in buyers' cash balances"

STATEMENTS = (
    "alter table stripe_operation drop constraint known_kind, add constraint known_kind check (kind in "
    "('account.create', 'customer.create', 'checkout.create', 'session.expire', 'pi.cancel', 'refund', 'cash.return', "
    "'transfer', 'reversal'))",
    "alter table ledger_entry drop constraint known_account, add constraint known_account check (account in ('stripe', "
    "'cash', 'bank', 'held', 'commission', 'vat', 'fees', 'surplus', 'receivable', 'disputed', 'losses', 'external'))",
    "create unique index cash_return_operation on stripe_operation (subject_id) "
    "where kind = 'cash.return' and state <> 'failed'",
    "create unique index cancel_operation on stripe_operation (subject_id) "
    "where kind = 'pi.cancel' and state <> 'failed'",
    "create index cash_return_open on cash_return (created_at) where state in ('pending', 'requires_action')",
    "create index payment_transfer on payment (created_at) where transfer_reference is not null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
