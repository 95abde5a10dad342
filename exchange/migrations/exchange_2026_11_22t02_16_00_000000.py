"""The ledger learns of our own bank account: what is paid out of Stripe to ourselves."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T02:16:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: the account of our own bank"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        await execute("alter table ledger_entry drop constraint known_account")
        await execute(
            "alter table ledger_entry add constraint known_account check (account in ('stripe', 'bank', 'held', "
            "'commission', 'vat', 'fees', 'surplus', 'receivable', 'losses', 'external'))"
        )

    manager.add_raw(run)
    return manager
