"""Why a call to Stripe brought nothing, in our own words: the library's errors go no further than this."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import stripe

from exchange.database import in_transaction
from exchange.errors import N_, Conflict, Unavailable


class NoAnswer(Unavailable):
    """The call may have done its work or not: ask again with the same key."""

    message = N_("The payment service does not answer at the moment. Nothing is lost; try again in a few minutes.")


class Busy(Unavailable):
    """The call was turned away before it did anything: wait and ask again."""

    message = N_("The payment service is busy. Try again in a moment.")


class Refused(Conflict):
    """Stripe said no, for good; ``code`` is its reason, ``request_id`` its trace."""

    message = N_("The payment service refused: %(reason)s")

    def __init__(self, *, reason: str, stripe_code: str | None, request_id: str | None) -> None:
        super().__init__(reason=reason)
        self.stripe_code = stripe_code
        self.request_id = request_id


class KeyReused(Refused):
    """One key, two different bodies: a fault of ours. Stop and call a person."""


@asynccontextmanager
async def answered() -> AsyncIterator[None]:
    """Refuse to call inside a transaction; turn the library's errors into what they mean for us."""
    if in_transaction():
        raise RuntimeError("Stripe is never called while a transaction is open")
    try:
        yield
    except stripe.APIConnectionError as e:
        raise NoAnswer from e
    except stripe.RateLimitError as e:
        raise Busy from e
    except stripe.StripeError as e:
        if e.http_status == 409 or e.code == "lock_timeout":
            raise Busy from e  # another call is at it; the library tells the status only, not the code
        kind = KeyReused if isinstance(e, stripe.IdempotencyError) else Refused
        if e.http_status is None or e.http_status >= 500:
            raise NoAnswer from e
        if e.http_status in {401, 403} and kind is Refused:
            raise Busy from e  # our key is wrong or was rolled: nothing happened there, and it heals
        raise kind(reason=e.user_message or str(e), stripe_code=e.code, request_id=e.request_id) from e
