"""Listings, later: reading files, closing lots whose time is up, finding whom a lot is hidden from."""

from uuid import UUID

from exchange.jobs import every, handles
from exchange.listings.actions.blocks import resolve_lot_blocks
from exchange.listings.actions.lots import expire_lots
from exchange.listings.actions.stock_lists import read_stock_list, reread_stock_list


@handles("stock_list.received")
async def read_received(stock_list_id: UUID) -> None:
    await read_stock_list(stock_list_id)


@handles("stock_list.corrected")
async def read_again(stock_list_id: UUID) -> None:
    await reread_stock_list(stock_list_id)


@handles("company.decided")
async def hide_from_decided(_: UUID) -> None:
    await resolve_lot_blocks()


@every("*/5 * * * *")
async def close_expired() -> None:
    while await expire_lots():
        pass


@every("*/10 * * * *")
async def hide_from_renamed() -> None:
    await resolve_lot_blocks()
