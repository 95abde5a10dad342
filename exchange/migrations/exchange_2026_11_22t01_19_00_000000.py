"""What listings need beyond plain tables: folding, search, the order of the browse page, append-only statements."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T01:19:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "listings: folding, search, indexes, append-only cost statements"

FOR_SALE = "state in ('open', 'part_sold')"

STATEMENTS = (
    # unaccent(text) is only STABLE, as its dictionary may change; naming the dictionary makes it safe to index
    "create function fold(text) returns text language sql immutable strict parallel safe"
    " return public.unaccent('public.unaccent'::regdictionary, lower($1))",
    "alter table lot add column search tsvector not null generated always as ("
    "  setweight(to_tsvector('french', search_title), 'A') || setweight(to_tsvector('english', search_title), 'A')"
    "  || setweight(to_tsvector('french', search_text), 'C') || setweight(to_tsvector('english', search_text), 'C')"
    ") stored",
    # lots are shown by week, and within a week in the order of their random ids: lots that one seller published
    # together do not stand together
    "alter table lot add column week date not null generated always as"
    " (date_trunc('week', published_at at time zone 'UTC')::date) stored",
    "alter table lot add column discount smallint generated always as ("
    "  case when rrp_minor > 0 then greatest(0, 100 - round(100.0 * ask_minor / rrp_minor))::smallint end) stored",
    f"create index lot_browse on lot (week desc, id) where {FOR_SALE}",
    f"create index lot_browse_category on lot (category, week desc, id) where {FOR_SALE}",
    f"create index lot_browse_country on lot (country, week desc, id) where {FOR_SALE}",
    "create index lot_search on lot using gin (search)",
    "create index lot_typo on lot using gin (search_title gin_trgm_ops)",
    f"create index lot_expiry on lot (expires_at) where {FOR_SALE}",
    "create index lot_own on lot (company_id, published_at desc, id)",
    "create index stock_list_own on stock_list (company_id, created_at desc, id)",
    "create index stock_list_row_state on stock_list_row (stock_list_id, state, sheet, number)",
    "create index lot_block_of on lot_block (company_id, lot_id)",
    "create trigger cost_statement_append_only before update or delete on cost_statement"
    " for each row execute function refuse_change()",
    "create trigger cost_statement_no_truncate before truncate on cost_statement"
    " for each statement execute function refuse_change()",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
