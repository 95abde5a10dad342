"""The one clock. Rules take ``now`` as a value; actions, queries and jobs ask here, so that tests can stop time."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_frozen: ContextVar[datetime | None] = ContextVar("_frozen", default=None)
_offset = timedelta(0)


def now() -> datetime:
    """The present instant, UTC, timezone-aware."""
    return _frozen.get() or datetime.now(UTC) + _offset


def follow(offset: timedelta) -> None:
    """Run this process's clock ``offset`` away from the real one: how it follows the sandbox's virtual clock."""
    global _offset
    _offset = offset


def ahead() -> timedelta:
    """How far this process's clock runs away from the real one."""
    return _offset


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Stop the clock at ``at`` for the code inside the block."""
    if at.tzinfo is None:
        raise ValueError("the clock takes aware instants only")
    token = _frozen.set(at)
    try:
        yield
    finally:
        _frozen.reset(token)
