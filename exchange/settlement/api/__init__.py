"""Deals, claims and papers as JSON under ``/api/v1/deals``; transitions are nouns posted to."""

from litestar import Router

from exchange.settlement.api import claims, deals, operator, papers

router = Router(
    "/deals", route_handlers=[*deals.HANDLERS, *claims.HANDLERS, *papers.HANDLERS, *operator.HANDLERS], tags=["deals"]
)
