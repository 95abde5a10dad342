"""A call and its answer, as the protocol sees them."""

from typing import NamedTuple


class Call(NamedTuple):
    """A request, reduced to what the protocol looks at."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]


class Answer(NamedTuple):
    """What goes back. ``stall`` seconds pass before it does (a simulated timeout)."""

    status: int
    body: bytes
    headers: dict[str, str]
    stall: float = 0
