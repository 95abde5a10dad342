"""The doors of settlement for people: deals, claims, a company's money, the operator's books."""

from litestar import Router

from exchange.settlement.pages import books, claims, deals, money

router = Router("/", route_handlers=[*deals.HANDLERS, *claims.HANDLERS, *money.HANDLERS, *books.HANDLERS])
