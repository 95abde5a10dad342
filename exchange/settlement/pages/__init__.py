"""The doors of settlement for people: deals, the dock, claims, a company's money, the operator's books."""

from litestar import Router

from exchange.settlement.pages import books, claims, deals, money, receipt

router = Router(
    "/",
    route_handlers=[*deals.HANDLERS, *receipt.HANDLERS, *claims.HANDLERS, *money.HANDLERS, *books.HANDLERS],
)
