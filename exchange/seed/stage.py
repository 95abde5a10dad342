"""What an event of the played weeks is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from exchange.seed.payments import PaymentSandbox


@dataclass(frozen=True, slots=True)
class Stage:
    """What an event needs to happen."""

    sandbox: PaymentSandbox


@dataclass(frozen=True, slots=True)
class Event:
    """Something somebody does at an instant."""

    at: datetime
    happen: Callable[[Stage], Awaitable[None]]
    pays: bool = False
    """Whether the payment sandbox has a part in it, so that its clock must have come there."""
