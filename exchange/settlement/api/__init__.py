"""Deals, claims and papers as JSON under ``/api/v1/deals``, a company's money under ``/api/v1/money``.

Transitions are nouns posted to.
"""

from litestar import Router

from exchange.settlement.api import claims, deals, money, operator, papers, rebuttals

router = Router(
    "/",
    route_handlers=[
        Router(
            "/deals",
            route_handlers=[
                *deals.HANDLERS,
                *claims.HANDLERS,
                *papers.HANDLERS,
                *operator.HANDLERS,
                *rebuttals.HANDLERS,
            ],
            tags=["deals"],
        ),
        Router("/money", route_handlers=money.HANDLERS, tags=["money"]),
    ],
)
