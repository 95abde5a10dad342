"""The demo market: invented companies, people, goods and two and a half years of their trade.

Words: a *step* is one part of the market, written whole or not at all; the *model* is what the market did, drawn from
one number; the *guests* are the people a visitor signs in as.

Promises: one number makes one market, ids included, but for the date of the first start, which it is laid around; every
row passes the constraints and triggers live data passes; talks and deals that are under way were made by the real
actions, and money that is held lies in the payment sandbox; an interrupted seed goes on where it stopped.
"""

from exchange.seed.people import PASSWORD, PEOPLE

__all__ = ["PASSWORD", "PEOPLE"]
