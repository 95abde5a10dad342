"""The doors of settlement for people: deals, the dock, claims, a company's money, papers, the operator's books."""

from litestar import Router

from exchange.settlement.pages import books, claims, deals, money, papers, receipt

router = Router(
    "/",
    route_handlers=[
        *deals.HANDLERS,
        *receipt.HANDLERS,
        *claims.HANDLERS,
        *money.HANDLERS,
        *papers.HANDLERS,
        *books.HANDLERS,
    ],
)
