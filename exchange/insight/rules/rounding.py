"""Rounding that widens what an attacker may conclude, and never depends on the machine. Source: insight guide §4."""

import itertools
import math

STEPS = (100, 126, 158, 200, 250, 320, 400, 500, 630, 800, 1000)
"""Hundredths: ten steps of about x1.26 to the next power of ten."""


def half_up(value: float) -> int:
    """The nearest whole number, halves upwards; a billionth below a half counts as the half it stands for."""
    return math.floor(value + 0.5 + 1e-9)


def r10(total: int) -> int:
    """The nearest of 1, 1.26, 1.58, 2, 2.5, 3.2, 4, 5, 6.3, 8 x 10^k on the logarithmic scale, as a whole number.

    Exact: ``total`` lies nearer the upper of two neighbours when its square reaches their product.
    """
    if total < 0:
        raise ValueError("contributions are never negative")
    if total == 0:
        return 0
    power = int("1".ljust(len(str(total)), "0"))
    for lower, upper in itertools.pairwise(STEPS):
        if (100 * total) ** 2 < lower * upper * power**2:
            return (lower * power + 50) // 100
    return STEPS[-1] * power // 100


def band(groups: int) -> str:
    """The smaller side's number of groups, told as a band: nobody learns the count itself (guide §2)."""
    if groups >= 50:
        return "50+"
    return "20-49" if groups >= 20 else "10-19"


def index(now: int, first: int) -> int:
    """``now`` against ``first`` = 100; both must be published R10 values, never the exact totals."""
    return (200 * now + first) // (2 * first)
