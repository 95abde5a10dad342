"""Where Stripe's news arrives: verify, store once, enqueue, 200. Three endpoints, each with its own list of secrets.

Stripe reads nothing but the status: 200 it is stored, 404 this endpoint is off, 401 nobody we know signed it, 400 it is
no event of ours, 413 it is too large to be one.
"""

from collections.abc import Sequence

from litestar import Request, Response, Router, post
from litestar.datastructures import State
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
    HTTP_404_NOT_FOUND,
)
from pydantic import SecretStr

from exchange.settings import settings
from exchange.settlement.actions.events import WrongMode, WrongVersion, take_in
from exchange.settlement.stripe_gateway import BadSignature, read_news

LARGEST = 512 * 1024
"""Bytes: the largest events of Stripe's are some tens of kilobytes."""

Incoming = Request[None, None, State]


@post("/webhooks/stripe", status_code=HTTP_200_OK)
async def platform(request: Incoming) -> Response[None]:
    """News of our own account: payments, refunds, transfers, disputes."""
    return await _receive(request, settings().stripe_webhook_secrets)


@post("/webhooks/stripe/connect", status_code=HTTP_200_OK)
async def connect(request: Incoming) -> Response[None]:
    """News of the sellers' accounts, as snapshots."""
    return await _receive(request, settings().stripe_connect_webhook_secrets)


@post("/webhooks/stripe/v2", status_code=HTTP_200_OK)
async def thin(request: Incoming) -> Response[None]:
    """News of the sellers' accounts, as thin events."""
    return await _receive(request, settings().stripe_thin_webhook_secrets)


async def _receive(request: Incoming, secrets: Sequence[SecretStr]) -> Response[None]:
    if not secrets:
        return Response(None, status_code=HTTP_404_NOT_FOUND)
    raw = await request.body()
    try:
        news = read_news(
            raw, request.headers.get("stripe-signature"), [secret.get_secret_value() for secret in secrets]
        )
        await take_in(news, "webhook")
    except BadSignature:
        return Response(None, status_code=HTTP_401_UNAUTHORIZED)
    except (ValueError, KeyError, WrongMode, WrongVersion):
        return Response(None, status_code=HTTP_400_BAD_REQUEST)
    return Response(None)


router = Router("/", route_handlers=[platform, connect, thin], request_max_body_size=LARGEST, include_in_schema=False)
