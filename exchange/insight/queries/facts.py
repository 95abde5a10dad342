"""What the lower domains know of trades, talks and listings that are over. For the job role."""

import json
from collections.abc import Sequence
from uuid import UUID

from exchange.database import fetch, fetchrow
from exchange.insight.rules.facts import ListingFact, OfferFact, Place, TradeFact


async def settled_trade(deal_id: UUID) -> TradeFact | None:
    """The fact of a settled deal; None when a line's retail value is unknown. Lines tell the leaf (guide §3)."""
    row = await fetchrow(
        """
        select d.id, d.closed_at, d.seller_company_id, d.buyer_company_id, d.quantity, d.net_minor, d.currency,
            l.region, l.published_at,
            (select json_object_agg(category, rrp) from (
                select m.category, sum(r.quantity * m.rrp_minor)::bigint rrp
                from reservation_line r join manifest_line m on m.id = r.line_id
                where r.reservation_id = d.negotiation_id group by m.category) by_category)::jsonb rrp_by_category,
            exists (select from reservation_line r join manifest_line m on m.id = r.line_id
                where r.reservation_id = d.negotiation_id and m.rrp_minor is null) unknown
        from deal d join lot l on l.id = d.lot_id
        where d.id = $1 and d.state = 'settled'
        """,
        deal_id,
    )
    if row is None or row["unknown"] or row["rrp_by_category"] is None:
        return None
    by_category = _by_category(row["rrp_by_category"])
    if not sum(by_category.values()):
        return None
    return TradeFact(
        trade_id=row["id"],
        settled_at=row["closed_at"],
        place=Place.of(by_category, row["region"]),
        seller=row["seller_company_id"],
        buyer=row["buyer_company_id"],
        units=row["quantity"],
        rrp_minor=sum(by_category.values()),
        net_minor=row["net_minor"],
        currency=row["currency"],
        listed_at=row["published_at"],
    )


async def closed_listings(limit: int) -> list[ListingFact]:
    """Listings closed, with nothing reserved and no talk live any more, retail value known, without a fact yet."""
    rows = await fetch(
        """
        select l.id, l.closed_at, l.company_id, l.region, l.rrp_minor, l.currency, m.sold_rrp, m.rrp_by_category
        from lot l cross join lateral (
            select sum(sold)::bigint sold_rrp, jsonb_object_agg(category, listed) rrp_by_category from (
                select category, sum(sold * rrp_minor) sold, sum(quantity * rrp_minor)::bigint listed
                from manifest_line where lot_id = l.id group by category) by_category) m
        where l.closed_at is not null and l.reserved = 0 and l.rrp_minor > 0 and m.sold_rrp is not null
          and not exists (select from negotiation n where n.lot_id = l.id and n.state = 'live')
          and not exists (select from insight_listing_fact f where f.lot_id = l.id)
        order by l.closed_at, l.id limit $1
        """,
        limit,
    )
    return [
        ListingFact(
            lot_id=row["id"],
            closed_at=row["closed_at"],
            place=Place.of(_by_category(row["rrp_by_category"]), row["region"]),
            seller=row["company_id"],
            rrp_minor=row["rrp_minor"],
            sold_rrp_minor=min(row["sold_rrp"], row["rrp_minor"]),
            currency=row["currency"],
        )
        for row in rows
    ]


async def talks_on(listings: Sequence[ListingFact]) -> list[OfferFact]:
    """What was offered on these listings: each talk's first offer, and whether it was agreed in the end."""
    of = {listing.lot_id: listing for listing in listings}
    rows = await fetch(
        """
        select n.id, n.lot_id, n.buyer_company_id, n.currency, n.unit_ask_minor, n.state,
            o.unit_price_minor, l.rrp_minor * o.quantity / l.quantity rrp
        from negotiation n join offer o on o.negotiation_id = n.id and o.number = 1 join lot l on l.id = n.lot_id
        where n.lot_id = any($1)
        """,
        list(of),
    )
    return [
        OfferFact(
            negotiation_id=row["id"],
            closed_at=of[row["lot_id"]].closed_at,
            place=of[row["lot_id"]].place,
            seller=of[row["lot_id"]].seller,
            buyer=row["buyer_company_id"],
            rrp_minor=row["rrp"],
            currency=row["currency"],
            unit_ask_minor=row["unit_ask_minor"],
            first_offer_minor=row["unit_price_minor"],
            accepted=row["state"] == "agreed",
        )
        for row in rows
        if row["rrp"]
    ]


def _by_category(found: str) -> dict[str, int]:
    return {category: int(rrp) for category, rrp in json.loads(found).items() if rrp}
