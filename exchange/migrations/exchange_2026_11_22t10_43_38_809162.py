from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Timestamptz
from piccolo.columns.indexes import IndexMethod

from exchange.database import execute

ID = "2026-11-22T10:43:38:809162"
VERSION = "1.38.0"
DESCRIPTION = "settlement: when an operation was tried last; one pay page of a payment is in the making"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="exchange", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="StripeOperation",
        tablename="stripe_operation",
        column_name="tried_at",
        db_column_name="tried_at",
        column_class_name="Timestamptz",
        column_class=Timestamptz,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    async def run() -> None:
        await execute(
            "create unique index checkout_operation on stripe_operation (subject_id) "
            "where kind = 'checkout.create' and state <> 'failed'"
        )

    manager.add_raw(run)

    return manager
