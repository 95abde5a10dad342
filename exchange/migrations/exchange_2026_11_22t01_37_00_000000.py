"""The order of the browse page in one direction, and words kept by triggers for the search that forgives typos."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T01:37:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "listings: browse order, folding and search words by trigger"

FOR_SALE = "state in ('open', 'part_sold')"

STATEMENTS = (
    "drop index lot_browse",
    "drop index lot_browse_category",
    "drop index lot_browse_country",
    "drop index lot_typo",
    "drop index if exists lot_block_of",
    f"create index lot_browse on lot (week, id) where {FOR_SALE}",
    f"create index lot_browse_category on lot (category, week, id) where {FOR_SALE}",
    f"create index lot_browse_country on lot (country, week, id) where {FOR_SALE}",
    "create index search_word_near on search_word using gin (word gin_trgm_ops)",
    """
    create function fold_lot() returns trigger language plpgsql as $$
    begin
        new.search_title := fold(new.title || ' ' || array_to_string(new.brands, ' '));
        new.search_text := fold(new.search_text);
        return new;
    end $$
    """,
    "create trigger lot_fold before insert or update of title, brands, search_text on lot"
    " for each row execute function fold_lot()",
    """
    create function keep_search_words() returns trigger language plpgsql as $$
    begin
        insert into search_word (word)
        select distinct word from added, regexp_split_to_table(added.search_title, '[^a-z0-9]+') as word
        where length(word) between 3 and 40 and word !~ '^[0-9]+$'
        order by word
        on conflict do nothing;
        return null;
    end $$
    """,
    "create trigger lot_words_new after insert on lot referencing new table as added"
    " for each statement execute function keep_search_words()",
    # a transition table and a list of columns exclude each other: titles change rarely, so one row at a time will do
    """
    create function keep_search_words_of_one() returns trigger language plpgsql as $$
    begin
        insert into search_word (word)
        select distinct word from regexp_split_to_table(new.search_title, '[^a-z0-9]+') as word
        where length(word) between 3 and 40 and word !~ '^[0-9]+$'
        order by word
        on conflict do nothing;
        return null;
    end $$
    """,
    "create trigger lot_words_changed after update of title, brands on lot"
    " for each row execute function keep_search_words_of_one()",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
