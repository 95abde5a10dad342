"""Chance that is the same for everybody: one number makes one market, ids included."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from uuid import UUID, uuid5

_MARKET = UUID("6f1b7a52-30c4-4d0e-9c55-c0f4e2e5a001")


def chance(seed: int, scope: str) -> Random:
    """A source of its own for ``scope``: what one part draws never moves another part's numbers."""
    return Random(f"{seed}/{scope}")  # noqa: S311 - a play market: nothing here is a secret


def named_id(seed: int, name: str) -> UUID:
    """The id of the thing called ``name`` in market ``seed``, in the shape of a random one (version 4)."""
    raw = uuid5(_MARKET, f"{seed}/{name}").int
    return UUID(int=raw & ~(0xF << 76) | (4 << 76))


def beside(id: UUID, number: int) -> UUID:
    """The id of part ``number`` (below 65,536) of the thing ``id``: its neighbour, which costs no drawing."""
    return UUID(int=id.int ^ number)


def drawn_id(drawn: Random) -> UUID:
    """The next id of a stream: a third of the work of ``named_id``."""
    return UUID(int=drawn.getrandbits(128) & ~(0xF << 76 | 0x3 << 62) | (4 << 76) | (2 << 62))


@contextmanager
def drawn_ids(source: Random) -> Iterator[None]:
    """Inside, ``uuid4()`` draws from ``source``, so that what the real actions make has the same ids every time.

    Only for a seed's own process, which makes no secret: it replaces the system's randomness there.
    """
    real = os.urandom
    os.urandom = source.randbytes
    try:
        yield
    finally:
        os.urandom = real
