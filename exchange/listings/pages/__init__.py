"""The doors of listings for people: stock lists, the market, lots."""

from litestar import Router

from exchange.listings.pages import lots, market, stock_lists

router = Router("/", route_handlers=[*stock_lists.HANDLERS, *market.HANDLERS, *lots.HANDLERS])
