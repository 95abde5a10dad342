"""The payment sandbox: a server that speaks Stripe's protocol, for trying and testing. NOT STRIPE; no real money.

It stands for an outside service: it imports no domain and not the ``stripe`` library, keeps its state in its own
PostgreSQL schema ``sandbox``, which it makes itself, and signs its webhooks with its own code. What it simulates,
simplifies and leaves out is listed at ``/_sandbox/`` from the register of routes. Specification: settlement guide §7.

Start it with ``exchange sandbox``, or ``await exchange.sandbox.app.serve(settings)`` in a
running event loop, or any ASGI server with one worker and the factory ``exchange.sandbox.app:create_app``. Settings are
read from the environment (``config.SandboxSettings``):

=================================  ==================================================================================
``EXCHANGE_SANDBOX_DATABASE_URL``  PostgreSQL; the schema ``sandbox`` is made there
``EXCHANGE_SANDBOX_SECRET_KEY``    the one key it takes, ``sk_test_…``; anything else is refused
``EXCHANGE_SANDBOX_HOST``, ``…_PORT``  a loopback address
``EXCHANGE_SANDBOX_PUBLIC_URL``    how browsers reach it; default ``http://HOST:PORT``
``EXCHANGE_SANDBOX_WEBHOOKS``      JSON: ``[{"url", "secret", "kind"}]``, kind ``platform``, ``connect`` or ``thin``
=================================  ==================================================================================

Words: the **books** are the sandbox's memory, a **world** is one transaction on them at one **virtual** instant; what
is **due** happens when the virtual clock gets there; a **control** disturbs or pushes things on purpose.

Promises: one call is one transaction, with its events and the answer kept for its idempotency key; no balance is kept,
it is the sum of balance transactions; a test card or IBAN that is not in the tables is refused, never taken for good.
"""
