"""Words compared as people see them: without accents, case, punctuation or camel humps."""

import html
import re
import unicodedata
from functools import lru_cache

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TAG = re.compile(r"<[^<>]{1,500}>")
_BREAK = re.compile(r"<(?:br|/p|/li|/div|/tr)[^<>]{0,100}>", re.IGNORECASE)
_NOTHING = (
    "n a, na, nan, none, null, nil, unknown, inconnu, inconnue, unbekannt, desconocido, sconosciuto, onbekend, "
    "sin asignar, sin marca, sans marque, no brand, unbranded, non renseigne, non renseignee, undefined, "
    "default title, does not apply, nicht zutreffend, no aplica, generic, tbd, neant, aucun, aucune, ohne, keine, "
    "ninguno, nessuno, geen, nenhum"
)
_BLANK = {"", *_NOTHING.split(", ")}


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """``Désignation (FR)`` becomes ``designation fr``; ``unitPrice`` becomes ``unit price``."""
    unaccented = unicodedata.normalize(
        "NFKD", _HUMP.sub(" ", text).replace("œ", "oe").replace("ß", "ss").replace("ø", "o")
    )
    kept = "".join(c if c.isalnum() else " " for c in unaccented.casefold() if not unicodedata.combining(c))
    return " ".join(kept.split())


def is_blank(text: str) -> bool:
    """Whether a cell says nothing: empty, a dash, or a word that stands for nothing (``n/a``, ``sin asignar``)."""
    return not (text[:1].isdigit()) and plain(text) in _BLANK


def one_line(text: str, limit: int = 300) -> str:
    """``text`` without markup, entities, line breaks and doubled spaces, cut at a word before ``limit`` characters."""
    bare = " ".join(html.unescape(_TAG.sub(" ", _BREAK.sub(" ", text))).split())
    return bare if len(bare) <= limit else bare[: limit - 1].rsplit(" ", 1)[0] + "…"
