"""Who can sign in to the demo market, with one password for all."""

from typing import NamedTuple

PASSWORD = "surplus entre confrères"  # noqa: S105 - printed at every start of the demo, which holds nothing real


class Guest(NamedTuple):
    """Somebody the visitor of the demo may be."""

    role: str
    language: str
    email: str
    name: str


MERCHANT = Guest("merchant", "fr", "camille@vauclair.example", "Camille Ferrand")
COMPETITOR = Guest("competitor", "en", "orla@harrowfinch.example", "Orla Brennan")
OWNER = Guest("owner", "fr", "helene@vauclair.example", "Hélène Vauclair")
OPERATOR = Guest("operator", "en", "morgan@confrere.example", "Morgan Reed")

PEOPLE = (MERCHANT, COMPETITOR, OWNER, OPERATOR)
