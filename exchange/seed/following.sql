-- What follows from the deals of one closed quarter, just written: what was owed, paid, given back, transferred, booked.
-- The order is that of the foreign keys; every statement passes the constraints and triggers live data passes.

-- The id of a named part of the thing "of": a neighbour of that id, so that one deal's rows lie together in every index.
create or replace function pg_temp.part(of uuid, name text) returns uuid language sql immutable as
$$ select overlay(of::text placing left(md5(name), 4) from 33)::uuid $$;

-- The commission falls with the price (settlement guide, section 2, Amounts); the payment service kept half a percent of
-- a bank transfer, five euros at most.
create temporary table past on commit drop as
select *, total - refund_minor - commission - commission_vat as leg
from (
    select d.*, t.total,
        d.commission_minor - d.commission_minor * d.refund_minor / t.total as commission,
        d.commission_vat_minor - d.commission_vat_minor * d.refund_minor / t.total as commission_vat,
        least(500, t.total / 200) as fee,
        pg_temp.part(d.id, 'obligation') as obligation_id,
        pg_temp.part(d.id, 'payment') as payment_id,
        pg_temp.part(d.id, 'leg') as leg_id,
        pg_temp.part(d.id, 'refund') as refund_id,
        pg_temp.part(d.id, 'claim') as claim_id
    from deal d cross join lateral (select d.net_minor + d.vat_minor as total) t
    where not exists (select from payment_obligation o where o.deal_id = d.id)
    order by d.id
) counted;

insert into payment_obligation (id, deal_id, lot_id, buyer_company_id, currency, amount_minor, state, due_at)
select obligation_id, id, lot_id, buyer_company_id, currency, total,
    case when paid_at is null then 'lapsed' else 'paid' end, agreed_at + interval '2 days'
from past;

insert into payment (id, obligation_id, deal_id, lot_id, state, method, currency, received_minor, fee_minor,
    available_on, expires_at, livemode, created_at, checked_at)
select payment_id, obligation_id, id, lot_id, 'paid', 'customer_balance', currency, total, fee,
    paid_at, paid_at + interval '1 day', false, agreed_at, closed_at
from past where paid_at is not null;

insert into release_leg (id, deal_id, lot_id, company_id, rank, weight, currency, payment_id, amount_minor, state, paid_at)
select leg_id, id, lot_id, seller_company_id, 0, 1, currency, payment_id, leg, 'paid', closed_at
from past where paid_at is not null
union all
select leg_id, id, lot_id, seller_company_id, 0, 1, currency, null, null, 'planned', null
from past where paid_at is null;

insert into refund (id, payment_id, deal_id, lot_id, currency, amount_minor, reason, state, created_at)
select refund_id, payment_id, id, lot_id, currency, refund_minor, ending, 'succeeded', closed_at
from past where refund_minor > 0;

insert into claim (id, deal_id, lot_id, state, said, wanted_minor, offered_minor, answer, opened_at, escalate_from,
    settled_minor)
select claim_id, id, lot_id, 'agreed', '', wanted, wanted, '', closed_at - interval '3 days', closed_at, wanted
from past cross join lateral (select refund_minor * net_minor / total as wanted) w
where ending = 'claim_agreed';

insert into claim_line (id, claim_id, lot_id, line_key, label, reason, units, loss_percent)
select pg_temp.part(past.id, 'claim line'), claim_id, past.lot_id, m.id::text, left(m.title, 200), 'damaged',
    1 + taken.quantity / 8, 100
from past
cross join lateral (
    select line_id, quantity from reservation_line where reservation_id = past.negotiation_id order by id limit 1
) taken
join manifest_line m on m.id = taken.line_id
where ending = 'claim_agreed';

insert into ledger_posting (id, at, fact, reference, deal_id, lot_id)
select pg_temp.part(id, fact), at, fact, reference::text, id, lot_id
from past cross join lateral (values
    ('paid', payment_id, paid_at, paid_at is not null),
    ('fee', payment_id, paid_at, paid_at is not null and fee > 0),
    ('refunded', refund_id, closed_at, refund_minor > 0),
    ('earned', id, closed_at, paid_at is not null and commission + commission_vat > 0),
    ('transferred', leg_id, closed_at, paid_at is not null and leg > 0)
) facts (fact, reference, at, happened)
where happened;

insert into ledger_entry (posting_id, deal_id, account, currency, amount_minor)
select pg_temp.part(id, fact), id, account, currency, minor
from past cross join lateral (values
    ('paid', 'stripe', total), ('paid', 'held', -total),
    ('fee', 'fees', fee), ('fee', 'stripe', -fee),
    ('refunded', 'held', refund_minor), ('refunded', 'stripe', -refund_minor),
    ('earned', 'held', commission + commission_vat), ('earned', 'commission', -commission),
    ('earned', 'vat', -commission_vat),
    ('transferred', 'held', leg), ('transferred', 'stripe', -leg)
) entries (fact, account, minor)
where paid_at is not null and minor <> 0;

drop table past;
