"""The website on one page: routes, plugins, sign-in, lifespan.

Routers of pages stand at ``/``; routers of the API say their path under ``/api/v1`` (``Router("/lots", …)``).
"""

import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from multiprocessing import parent_process
from pathlib import Path
from signal import SIGKILL

import js_lib_htmx
import litestar_offline_docs
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from litestar import Litestar, Router
from litestar.channels import ChannelsPlugin
from litestar.config.compression import CompressionConfig
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.middleware import DefineMiddleware
from litestar.middleware.rate_limit import RateLimitConfig
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.prometheus import PrometheusConfig, PrometheusController
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp, Message, Scope

from exchange import __version__, front_page
from exchange.accounts import pages as account_pages
from exchange.companies import api as company_api
from exchange.companies import pages as company_pages
from exchange.database import WEB_ROLE, close_pool, engine, open_pool
from exchange.embedded import die_with_parent
from exchange.insight import api as insight_api
from exchange.insight import pages as insight_pages
from exchange.introductions import api as introduction_api
from exchange.introductions import pages as introduction_pages
from exchange.listings import api as listing_api
from exchange.listings import pages as listing_pages
from exchange.offers import api as offer_api
from exchange.offers import pages as offer_pages
from exchange.settings import settings
from exchange.settlement import api as settlement_api
from exchange.settlement import pages as settlement_pages
from exchange.settlement import stripe_gateway
from exchange.settlement import webhooks as settlement_webhooks
from exchange.virtual_time import followed
from exchange.wants import api as want_api
from exchange.wants import pages as want_pages
from exchange.web import pages as web_pages
from exchange.web.api_document import Description, ModelExamples
from exchange.web.guards import operator
from exchange.web.headers import security_headers
from exchange.web.idempotency import IdempotencyMiddleware
from exchange.web.limits import asker
from exchange.web.refusals import HANDLERS
from exchange.web.render import STATIC, environment
from exchange.web.sign_in import Remembered, SignIn
from exchange.web.stream import channels_plugin
from exchange.web.translations import LANGUAGES

PAGES: list[Router] = [
    front_page.router,
    account_pages.router,
    company_pages.router,
    listing_pages.router,
    want_pages.router,
    introduction_pages.router,
    offer_pages.router,
    settlement_pages.router,
    insight_pages.router,
]
API: list[Router] = [
    company_api.router,
    listing_api.router,
    want_api.router,
    introduction_api.router,
    offer_api.router,
    settlement_api.router,
    insight_api.router,
]
WEBHOOKS: list[Router] = [settlement_webhooks.router]
LIBRARY_FILES = [
    Path(js_lib_htmx.__file__).parent / "static",
    Path(litestar_offline_docs.__file__).parent / "static",
]


class Metrics(PrometheusController):
    """Prometheus text of all web workers together, for the operator only (session or bearer token)."""

    guards = [operator]  # noqa: RUF012  Litestar reads it from the class


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """The pool, for as long as the process serves."""
    opened_here = engine().pool is None
    if opened_here:
        await open_pool(server_settings={"role": WEB_ROLE})
    gc.collect()
    gc.freeze()  # what was imported stays: no need to look through it again and again for garbage
    gc.set_threshold(20_000, 20, 20)
    try:
        async with followed(), app.state.remembered.hearing(app.plugins.get(ChannelsPlugin)):
            yield
    finally:
        await stripe_gateway.close()
        if opened_here:
            await close_pool()


def served() -> ASGIApp:
    """What a web process serves: the application, told by our own proxies who is really asking.

    Granian's own process may be killed; one left behind would go on answering beside those started in its place.
    """
    die_with_parent(SIGKILL)
    server = parent_process()
    # its sentinel would not tell: workers forked later hold a copy of the pipe
    if server is not None and server.pid != os.getppid():
        raise SystemExit("the web server was killed before this process could tell")
    app: ASGIApp = prepared()
    proxies = settings().trusted_proxies
    return wrap_asgi_with_proxy_headers(app, trusted_hosts=[*proxies]) if proxies else app


@cache
def prepared() -> Litestar:
    """The application and both languages' templates, made once: by the process the serving ones are forked from."""
    for language in LANGUAGES:
        environment(language)
    return create_app()


def create_app() -> Litestar:
    """The ASGI application of one web process."""
    extra = [(name.lower().encode(), value.encode()) for name, value in security_headers().items()]
    remembered = Remembered()
    pace = RateLimitConfig(("minute", settings().api_requests_per_minute), identifier_for_request=asker)

    async def add_headers(message: Message, scope: Scope) -> None:
        if message["type"] == "http.response.start":
            said = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(pair for pair in extra if pair[0] not in said)]

    return Litestar(
        route_handlers=[
            Router("/", route_handlers=[*PAGES, *WEBHOOKS, web_pages.router, Metrics], include_in_schema=False),
            Router("/api/v1", route_handlers=API, security=[{"bearer": []}], middleware=[pace.middleware]),
            create_static_files_router(
                path="/static",
                directories=[STATIC, *LIBRARY_FILES],
                cache_control=CacheControlHeader(public=True, max_age=365 * 24 * 3600, immutable=True),
            ),
        ],
        middleware=[
            PrometheusConfig(
                app_name="exchange", prefix="exchange", group_path=True, exclude=["^/static/", "^/metrics$", "/live$"]
            ).middleware,
            DefineMiddleware(
                SignIn, by_session=front_page.by_session, by_token=front_page.by_token, remembered=remembered
            ),
            IdempotencyMiddleware(),
        ],
        csrf_config=CSRFConfig(
            secret=settings().secret_key.get_secret_value(),
            cookie_name="__Host-csrf" if settings().is_secure else "csrf",
            cookie_secure=settings().is_secure,
            cookie_httponly=True,
            header_name="x-csrf-token",
            exclude=["^/api/", "^/webhooks/", "^/unsubscribe/"],  # the last: RFC 8058, a mail program presses it
        ),
        compression_config=CompressionConfig(backend="gzip", minimum_size=2000, gzip_compress_level=1),
        plugins=[channels_plugin(), ModelExamples()],
        lifespan=[lifespan],
        state=State({"remembered": remembered}),
        before_send=[add_headers],
        exception_handlers=HANDLERS,
        request_max_body_size=settings().upload_limit + 2**20,
        openapi_config=OpenAPIConfig(
            title="Confrère",
            version=__version__,
            description="The exchange where rival businesses clear surplus stock together. "
            "Money is an integer of minor units beside an ISO 4217 code; times are UTC; refusals are RFC 9457 problem "
            "documents in the language of `Accept-Language`, else of the account; every POST takes an "
            "`Idempotency-Key`.",
            openapi_router=Router("/api", route_handlers=[], include_in_schema=False),
            render_plugins=[Description(path="/v1/openapi.json")],
            components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
        ),
        logging_config=None,
        debug=False,
    )


logging.getLogger("litestar").setLevel(logging.WARNING)
