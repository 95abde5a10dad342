"""A contract's content is put together once, though both the row and its hash are made of it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from exchange.database import execute

ID = "2026-11-22T14:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "offers: a contract is put together once"

STATEMENTS = (
    """
    create or replace function write_contracts(agreed uuid[]) returns void language sql as $$
        with parts as materialized (
            select n.id, n.lot_id, n.agreed_at, jsonb_build_object(
                'lot', c.content - '{lines,quantity,slots,unit_ask_minor,rrp_minor,partial,minimum,multiple}'::text[],
                'lines', (
                    select coalesce(jsonb_agg(coalesce(k.line, jsonb_build_object('id', m.id, 'gtin', m.gtin, 'title',
                            m.title, 'brand', m.brand, 'model', m.model, 'category', m.category, 'grade', m.grade))
                        - '{quantity,rrp_minor,unit_ask_minor}'::text[] || jsonb_build_object('quantity', r.quantity,
                            'unit_price_minor', coalesce(x.unit_price_minor, o.unit_price_minor))
                        order by m.position), '[]')
                    from reservation_line r join manifest_line m on m.id = r.line_id
                    left join offer_line x on x.offer_id = o.id and x.line_id = m.id
                    left join jsonb_array_elements(c.content -> 'lines') k(line) on k.line ->> 'id' = m.id::text
                    where r.reservation_id = n.id),
                'quantity', o.quantity, 'unit_price_minor', o.unit_price_minor,
                'total_minor', coalesce(o.lines_minor, o.unit_price_minor * o.quantity), 'currency', o.currency,
                'incoterm', o.incoterm, 'pickup', o.pickup, 'message', o.message, 'terms_version', o.terms_version,
                'offered', jsonb_build_object('by', case when o.company_id = n.buyer_company_id then 'buyer'
                    else 'seller' end, 'person', p.name, 'at', o.made_at),
                'accepted', jsonb_build_object('by', case when o.company_id = n.buyer_company_id then 'seller'
                    else 'buyer' end, 'person', a.name, 'at', n.agreed_at),
                'seller', (select jsonb_build_object('legal_name', s.legal_name, 'trading_name', s.trading_name,
                    'country', s.country, 'region', s.region, 'registration', s.registration, 'vat', s.vat)
                    from company s where s.id = n.seller_company_id),
                'buyer', (select jsonb_build_object('legal_name', b.legal_name, 'trading_name', b.trading_name,
                    'country', b.country, 'region', b.region, 'registration', b.registration, 'vat', b.vat)
                    from company b where b.id = n.buyer_company_id)
            ) as content
            from negotiation n join lot_copy c on c.id = n.lot_copy_id join lot l on l.id = n.lot_id
            join offer o on o.negotiation_id = n.id and o.state = 'agreed' join person p on p.id = o.person_id
            join person a on a.id = coalesce(o.answered_by, l.person_id)
            where n.id = any(agreed) and n.state = 'agreed'
        )
        insert into contract (negotiation_id, lot_id, content, sha256, made_at)
        select id, lot_id, content, sha256(convert_to(content::text, 'UTF8')), agreed_at from parts
        on conflict (negotiation_id) do nothing
    $$
    """,
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="exchange", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await execute(statement)

    manager.add_raw(run)
    return manager
