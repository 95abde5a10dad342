"""Deals and claims as JSON under ``/api/v1/deals``; transitions are nouns posted to."""

from litestar import Router

from exchange.settlement.api import claims, deals

router = Router("/deals", route_handlers=[*deals.HANDLERS, *claims.HANDLERS], tags=["deals"])
