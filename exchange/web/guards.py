"""Guards: who may come through a door at all. What they may see behind it is decided by the loaders.

They are ``async`` though they wait for nothing: Litestar sends a plain function to a thread, at each request.
"""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from exchange.errors import N_, DomainError, NotAllowed
from exchange.web.viewer import Viewer

Connection = ASGIConnection[Any, Viewer | None, Any, Any]


class SignInFirst(DomainError):
    """Nobody is signed in, and this door needs somebody. A page sends to the sign-in form, the API answers 401."""

    message = N_("Sign in to continue.")


class NotVettedYet(NotAllowed):
    """The operator has not let the company trade yet."""

    message = N_("Your company is being checked. You can trade as soon as that is done; we will write to you.")


class NotAdmitted(NotAllowed):
    """The operator has looked and said no, with a reason."""

    message = N_("Your company was not admitted. Under “Company” you read why; an owner can correct it there.")


class Stopped(NotAllowed):
    """The operator has stopped the company: it finishes its deals and begins none."""

    message = N_("Your company may begin no new deals. You can finish those you have; see why under “Our record”.")


class OwnersOnly(NotAllowed):
    message = N_("Only an owner of your company's account can do this.")


class TradersOnly(NotAllowed):
    message = N_("This is for members of a trading company.")


class OperatorOnly(NotAllowed):
    message = N_("This page is for the operator of the exchange.")


def viewer_of(connection: Connection) -> Viewer:
    """Who is asking, behind a guard. Raises SignInFirst."""
    if connection.user is None:
        raise SignInFirst
    return connection.user


async def signed_in(connection: Connection, _: BaseRouteHandler) -> None:
    """Anybody with an account."""
    if connection.user is None:
        raise SignInFirst


async def member(connection: Connection, _: BaseRouteHandler) -> None:
    """A member of a company, vetted or not."""
    await signed_in(connection, _)
    if connection.user is not None and connection.user.actor.company_id is None:
        raise TradersOnly


async def trading(connection: Connection, _: BaseRouteHandler) -> None:
    """A member of a vetted company."""
    await member(connection, _)
    if connection.user is not None and not connection.user.vetted:
        raise Stopped if connection.user.stopped else _outside(connection.user)


async def browsing(connection: Connection, _: BaseRouteHandler) -> None:
    """Who may look at the market: members of a vetted company, and the operator."""
    await signed_in(connection, _)
    if connection.user is not None and not connection.user.actor.is_operator:
        await trading(connection, _)


async def settling(connection: Connection, _: BaseRouteHandler) -> None:
    """A member of a company that trades, or has traded and finishes its deals."""
    await member(connection, _)
    if connection.user is not None and not connection.user.was_vetted:
        raise _outside(connection.user)


async def owner(connection: Connection, _: BaseRouteHandler) -> None:
    """An owner of a company's account."""
    await member(connection, _)
    if connection.user is not None and not connection.user.actor.is_owner:
        raise OwnersOnly


async def operator(connection: Connection, _: BaseRouteHandler) -> None:
    """The operator of the exchange."""
    await signed_in(connection, _)
    if connection.user is not None and not connection.user.actor.is_operator:
        raise OperatorOnly


def _outside(viewer: Viewer) -> NotAllowed:
    """Why a company may not trade that never could, or no longer may."""
    return NotAdmitted() if viewer.refused else NotVettedYet()
