"""Search reads what a lot is called before what stands in it, the latest week first; a closed lot costs it nothing.

Generated columns alone, without a trigger before each change of a lot: with one, PostgreSQL would make every generated
column anew whenever a unit is reserved.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T17:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "listings: a lot's name is searched before its lines, in the order of the market"

FOR_SALE = "state in ('open', 'part_sold')"
WEEK = "array_to_tsvector(array[word_of_week(date_trunc('week', published_at at time zone 'UTC')::date)])"

STATEMENTS = (
    "drop trigger lot_fold on lot",
    "drop function fold_lot()",
    "drop trigger lot_words_new on lot",
    "drop function keep_search_words()",
    "drop trigger lot_words_changed on lot",
    "drop function keep_search_words_of_one()",
    "alter table lot drop column search",
    "create function name_of_lot(title text, brands text[]) returns text language sql immutable strict parallel safe"
    " return title || ' ' || array_to_string(brands, ' ')",
    # without positions: words are asked for together, never as a phrase
    "create function searchable(text) returns tsvector language sql immutable strict parallel safe"
    " return strip(to_tsvector('french', public.fold($1)) || to_tsvector('english', public.fold($1)))",
    # the week stands in the index as a word that nobody can write: the latest of a word's lots need not all be fetched
    "create function word_of_week(date) returns text language sql immutable strict parallel safe"
    " return 'week:' || ($1 - date '2000-01-03')",
    "alter table lot add column search_name tsvector generated always as ("
    f" case when {FOR_SALE} then searchable(name_of_lot(title, brands::text[])) || {WEEK} end) stored,"
    " add column search tsvector generated always as ("
    f" case when {FOR_SALE} then searchable(name_of_lot(title, brands::text[]) || ' ' || search_text) || {WEEK} end)"
    " stored",
    "create index lot_search_name on lot using gin (search_name) where search_name is not null",
    "create index lot_search on lot using gin (search) where search is not null",
    # words of the lines too: what stands in a lot is no typing error
    "create function words_of_lot(title text, brands text[], search_text text) returns setof text"
    " language sql immutable strict parallel safe"
    " begin atomic select string_to_table(name_of_lot(title, brands) || ' ' || search_text, ' '); end",
    """
    create function keep_search_words() returns trigger language plpgsql as $$
    begin
        insert into search_word (word)
        select distinct word from (
            select distinct words_of_lot(title, brands, search_text) as written from added where search is not null
        ) as w, regexp_split_to_table(fold(w.written), '[^a-z0-9]+') as word
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
        select distinct word from words_of_lot(new.title, new.brands, new.search_text) as written,
            regexp_split_to_table(fold(written), '[^a-z0-9]+') as word
        where length(word) between 3 and 40 and word !~ '^[0-9]+$'
        order by word
        on conflict do nothing;
        return null;
    end $$
    """,
    "create trigger lot_words_changed after update of title, brands, search_text on lot"
    " for each row execute function keep_search_words_of_one()",
    "insert into search_word (word)"
    " select distinct word from (select distinct words_of_lot(title, brands, search_text) as written from lot"
    " where search is not null) as w, regexp_split_to_table(fold(w.written), '[^a-z0-9]+') as word"
    " where length(word) between 3 and 40 and word !~ '^[0-9]+$' on conflict do nothing",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    manager.drop_column(
        table_class_name="Lot", tablename="lot", column_name="search_title", db_column_name="search_title", schema=None
    )
    return manager
