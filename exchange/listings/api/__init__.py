"""The doors of stock lists and lots for programs: the same actions as the pages."""

from litestar import Router

from exchange.listings.api import lots, stock_lists

router = Router("/", route_handlers=[stock_lists.router, lots.router])
