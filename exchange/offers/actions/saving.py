"""What the actions write, once the rules have decided. Each function joins the caller's transaction."""

from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetch, fetchval
from exchange.errors import NotSeen
from exchange.listings.actions.lots import state_cost
from exchange.listings.rules.lots import CostAnswer
from exchange.offers.queries.lots import LotOffered
from exchange.offers.queries.talks import Negotiated
from exchange.offers.rules import talks
from exchange.offers.rules.talks import Move, State, Talk

LOT_COPY = (
    "select jsonb_build_object('title', l.title, 'category', l.category, 'region', l.region, "
    "'country', l.country, 'brands', l.brands, 'grade', l.grade, 'packing', l.packing, 'weight_g', l.weight_g, "
    "'incoterm', l.incoterm, 'slots', l.slots, 'currency', l.currency, 'unit_ask_minor', l.unit_ask_minor, "
    "'rrp_minor', l.rrp_minor, 'quantity', l.quantity, 'partial', l.partial, 'minimum', l.minimum, "
    "'multiple', l.multiple, 'authorised_brand', l.authorised_brand, 'unmark', l.unmark, "
    "'no_warranty', l.no_warranty, 'tolerance_bp', l.tolerance_bp, 'lines', (select coalesce(jsonb_agg("
    "jsonb_build_object('id', m.id, 'gtin', m.gtin, 'title', m.title, 'brand', m.brand, 'model', m.model, "
    "'category', m.category, 'quantity', m.quantity, 'rrp_minor', m.rrp_minor, 'unit_ask_minor', m.unit_ask_minor, "
    "'grade', m.grade) order by m.position), '[]') from manifest_line m where m.lot_id = l.id)) || "
    "case when l.threshold_state = 'open' then jsonb_build_object('threshold', l.threshold, "
    "'threshold_by', l.expires_at) else '{}' end as content "
    "from lot l"
)
"""The frozen copy of lots, one row of ``content`` each, for whoever adds which lot is meant."""


async def save_answer(held: Negotiated, move: Move, *, by: Actor | None) -> bool:
    """Write what became of the live move and tell open pages; the talk follows its last move.

    An agreement takes stock: live offers of others that the lot no longer covers end in the same statement (rule 10).
    Returns whether there were any.
    """
    expired, agreed = move.state is State.EXPIRED, move.state is State.AGREED
    ended = await fetch(
        _END,
        held.lot_id,
        held.said[-1].id,
        move.state.value,
        move.expires_at if expired else now(),
        by.person_id if by and not expired else None,
        agreed,
    )
    return len(ended) > 1


async def save_uncovered(lot_id: UUID) -> bool:
    """End the live offers that a lot no longer covers (rule 10) and tell open pages. Returns whether there were any."""
    return bool(await fetch(_END, lot_id, None, None, now(), None, True))


_END = """
    with ended as (
        update offer o set state = case when o.id = $2 then $3::text else 'unavailable' end, answered_at = $4,
            answered_by = case when o.id = $2 then $5::uuid end
        from lot l where l.id = $1 and o.lot_id = l.id and o.state = 'live' and (o.id = $2
            or $6 and o.expires_at > $4 and (
                l.state not in ('open', 'part_sold') or o.quantity > l.quantity - l.reserved - l.sold
                or o.lines_minor is not null and exists (
                    select from offer_line x join manifest_line m on m.id = x.line_id
                    where x.offer_id = o.id and x.quantity > m.quantity - m.reserved - m.sold)))
        returning o.negotiation_id, o.state
    )
    update negotiation n set state = ended.state, turn_company_id = null, deadline = null, changed_at = $4,
        agreed_at = case when ended.state = 'agreed' then $4 end
    from ended where n.id = ended.negotiation_id
    returning pg_notify('talk_' || replace(n.id::text, '-', ''),
        case when ended.state = 'agreed' then 'negotiation.' else 'offer.' end || ended.state || ' ' || n.id)
"""
"""The one way an offer ends: the answered one ($2, in the state $3) and, if $6, those that stock no longer covers: what
`Stock.covers` is in Python. One that has run out by then (`$4`) is left to the clock."""


async def supersede(held: Negotiated, move: Move, by: Actor) -> None:
    """Write what became of the move before a new one: countered, or expired before the clock's job came round.

    The talk's own row follows with the new move (`save_move`).
    """
    expired = move.state is State.EXPIRED
    await execute(
        "update offer set state = $2, answered_at = $3, answered_by = $4 where id = $1",
        held.said[-1].id,
        move.state.value,
        move.expires_at if expired else now(),
        None if expired else by.person_id,
    )


async def save_move(held: Negotiated, after: Talk, message: str, by: Actor) -> UUID:
    move, offer_id, asks = after.moves[-1], uuid4(), after.terms.asks
    await execute(
        "with made as (insert into offer (id, lot_id, negotiation_id, number, company_id, person_id, unit_price_minor, "
        "currency, quantity, incoterm, message, terms_version, made_at, expires_at, state, lines_minor, pickup) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'live', $17, $18)), "
        "named as (insert into offer_line (lot_id, offer_id, line_id, quantity, unit_price_minor, unit_ask_minor) "
        "select $2, $1, x.* from unnest($19::uuid[], $20::int[], $21::bigint[], $22::bigint[]) x) "
        "update negotiation set state = 'live', turn_company_id = $15, deadline = $14, moves = $4, changed_at = $13, "
        "covered_from_minor = $16 where id = $3",
        offer_id,
        held.lot_id,
        held.id,
        len(after.moves),
        move.by,
        by.person_id,
        move.price.minor,
        move.price.currency,
        move.quantity,
        move.incoterm.value,
        message,
        talks.TERMS_VERSION,
        move.made_at,
        move.expires_at,
        after.turn,
        after.terms.covered_from.minor if after.terms.covered_from else None,
        move.total.minor if move.lines else None,
        list(move.pickup),
        [line.id for line in move.lines],
        [line.quantity for line in move.lines],
        [line.price.minor for line in move.lines],
        [asks[line.id].minor if line.id in asks else None for line in move.lines],
    )
    return offer_id


async def save_talk(lot: LotOffered, buyer: UUID) -> UUID:
    """The talk and the frozen copy of the lot (rule 1): all that a buyer may read of it, and nothing else."""
    negotiation_id, terms, at = uuid4(), lot.terms, now()
    copy_id = await fetchval(
        f"with copy as ({LOT_COPY} where l.id = $2), "  # noqa: S608  the constant above
        "made as (insert into lot_copy (id, lot_id, sha256, content, made_at) "
        "select $1, $2, sha256(convert_to(content::text, 'UTF8')), content, $3 from copy "
        "on conflict (lot_id, sha256) do nothing returning id) "
        "select id from made union all select c.id from lot_copy c, copy where c.lot_id = $2 "
        "and c.sha256 = sha256(convert_to(copy.content::text, 'UTF8')) limit 1",
        uuid4(),
        lot.id,
        at,
    )
    await execute(
        "insert into negotiation (id, lot_id, lot_copy_id, buyer_company_id, seller_company_id, currency, "
        "unit_ask_minor, partial, minimum, multiple, floor_minor, auto_accept_minor, covered_from_minor, state, moves, "
        "opened_at, changed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'withdrawn', 0, "
        "$14, $14)",
        negotiation_id,
        lot.id,
        copy_id,
        buyer,
        lot.seller,
        terms.ask.currency,
        terms.ask.minor,
        terms.partial,
        terms.minimum,
        terms.multiple,
        terms.floor.minor if terms.floor else None,
        terms.auto_accept.minor if terms.auto_accept else None,
        terms.covered_from.minor if terms.covered_from else None,
        at,
    )
    return negotiation_id


async def save_request_met(lot_id: UUID, buyer: UUID, by: Actor) -> UUID | None:
    """The buyer's own offer takes the place of his request for a price, which nobody is to answer any more.

    Returns the request, where there was one.
    """
    met: UUID | None = await fetchval(
        "update quote_request set state = 'quoted', answered_at = $3, answered_by = $4 "
        "where lot_id = $1 and buyer_company_id = $2 and state = 'asked' and expires_at > $3 returning id",
        lot_id,
        buyer,
        now(),
        by.person_id,
    )
    return met


async def save_cost(held: Negotiated, after: Talk, cost: CostAnswer | None, by: Actor, occasion: str) -> None:
    """Keep the seller's answer, dated and signed, where one was needed (guide/domain.md §3, below cost)."""
    if cost is None or after.terms.covered_from == held.talk.terms.covered_from:
        return
    await state_cost(by=by, lot_id=held.lot_id, answer=cost, occasion=occasion)


def company_of(by: Actor) -> UUID:
    if by.company_id is None:
        raise NotSeen
    return by.company_id
