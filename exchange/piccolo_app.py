"""The one Piccolo app: every domain's tables, one linear history of migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

DOMAINS = [
    "journal",
    "web",
    "accounts",
    "companies",
    "listings",
    "wants",
    "introductions",
    "offers",
    "settlement",
    "insight",
]
"""Lower domains first; a domain without tables is not named."""

PARTS = {
    "settlement": [
        "claims", "evidence", "ledger", "papers", "payouts", "rates", "rebuttals", "receivers", "standing", "stripe",
    ]
}  # fmt: skip
"""Further modules of a domain's tables, one noun each."""

APP_CONFIG = AppConfig(
    app_name="exchange",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(
        [
            name
            for domain in DOMAINS
            for name in (
                f"exchange.{domain}.tables",
                *(f"exchange.{domain}.tables.{part}" for part in PARTS.get(domain, [])),
            )
        ],
        exclude_imported=True,
    ),
    migration_dependencies=[],
)
