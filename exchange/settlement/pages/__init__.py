"""The doors of settlement for people: deals, the dock, claims, a company's money, papers, the operator's books."""

from litestar import Router

from exchange.settlement.pages import accountant, books, claims, deals, money, papers, receipt, receivers, standing

router = Router(
    "/",
    route_handlers=[
        *deals.HANDLERS,
        *receipt.HANDLERS,
        *claims.HANDLERS,
        *money.HANDLERS,
        *papers.HANDLERS,
        *receivers.HANDLERS,
        *standing.HANDLERS,
        *books.HANDLERS,
        *accountant.HANDLERS,
    ],
)
