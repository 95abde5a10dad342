"""The doors of settlement for people: deals, the dock, claims, a company's money, papers, disputes, the books."""

from litestar import Router

from exchange.settlement.pages import (
    accountant,
    books,
    claims,
    deals,
    money,
    papers,
    rebuttals,
    receipt,
    receivers,
    standing,
)

router = Router(
    "/",
    route_handlers=[
        *deals.HANDLERS,
        *receipt.HANDLERS,
        *claims.HANDLERS,
        *money.HANDLERS,
        *papers.HANDLERS,
        *rebuttals.HANDLERS,
        *receivers.HANDLERS,
        *standing.HANDLERS,
        *books.HANDLERS,
        *accountant.HANDLERS,
    ],
)
