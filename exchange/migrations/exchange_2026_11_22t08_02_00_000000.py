"""One current account of a company and one next; legs of open deals are frozen to the account that stands now."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T08:02:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "settlement: one current account per company, one next"

STATEMENTS = (
    "create unique index payout_account_current on payout_account (company_id) where standing = 'current'",
    "create unique index payout_account_next on payout_account (company_id) where standing = 'next'",
    "update release_leg l set destination = a.account_id from payout_account a "
    "where a.company_id = l.company_id and l.destination is null and l.state in ('planned', 'parked')",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
