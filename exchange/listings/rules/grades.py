"""Condition grades, as the French clearance trade writes them; a mixed lot shows its lowest.

Source: domain guide §3, after Stocklear and B-Stock.
"""

from collections.abc import Iterable
from enum import StrEnum

from exchange.errors import N_
from exchange.listings.rules.words import plain


class Grade(StrEnum):
    """From new to not working; `label` is shown beside the letter."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Grade.A: N_("new"),
    Grade.B: N_("customer return"),
    Grade.C: N_("untested or cosmetic damage"),
    Grade.D: N_("not working"),
}

_WORDS: dict[Grade, str] = {
    Grade.D: (
        "defective, not working, broken, salvage, scrap, for parts, hors service, hs, defectueux, en panne, pour "
        "pieces, defekt, averiado, no funciona, roto, guasto, difettoso, defect, kapot, avariado, com defeito, "
        "damaged, endommage, beschadigt, danado, danneggiato, customer damage, d"
    ),
    Grade.C: (
        "untested, cosmetic, scratch and dent, shelf pull damaged, non teste, a tester, ungetestet, sin probar, "
        "non testato, niet getest, nao testado, used, occasion, usage, gebraucht, usado, usato, gebruikt, fair, "
        "acceptable, emballage abime, open box damaged, used fair, uninspected, c"
    ),
    Grade.B: (
        "return, returns, customer return, customer returns, retour, retour client, retours clients, open box, "
        "refurbished, reconditionne, renewed, ruckgabe, retoure, retouren, devolucion, devoluciones, reso, resi, "
        "like new, comme neuf, wie neu, como nuevo, come nuovo, very good, tres bon etat, good, bon etat, used "
        "good, used like new, overhauled, deballe, b"
    ),
    Grade.A: (
        "new, brand new, neuf, neuve, neufs, neu, neuware, nuevo, nueva, nuovo, nuova, nieuw, novo, nova, new in "
        "box, new other, overstock, surplus, surstock, shelf pull, shelf pulls, fin de serie, a ware, "
        "originalverpackt, ovp, sealed, n, a, grade a"
    ),
}
_BY_WORD = {word: grade for grade, words in _WORDS.items() for word in words.split(", ")}


def read(text: str) -> Grade | None:
    """The grade a word of the trade means (``Customer Returns`` is B), or ``None`` when it is not known."""
    words = plain(text)
    words = words.removeprefix("grade ").removeprefix("etat ").removeprefix("condition ") or words
    return _BY_WORD.get(words)


def lowest(grades: Iterable[Grade]) -> Grade:
    """The grade a mixed lot shows: the worst of its lines."""
    return max(grades, key=lambda g: g.value)
