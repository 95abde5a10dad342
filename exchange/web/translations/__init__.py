"""Translations: English is the key; French stands in ``fr/<domain>.po``, one file per domain, merged on first use."""

import gettext
import io
import re
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("fr", "en")
FOLDER = Path(__file__).parent
_MARKS = re.compile(r"[ \u00a0\u202f]([:»]|%%)|[ \u00a0\u202f]([;?!])|(«)[ \u00a0\u202f]")


@lru_cache(maxsize=4)
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of ``language``; English translates to itself.

    Two domains may share a key only with the same French: a different one is a ValueError.
    """
    if language == "en":
        return gettext.NullTranslations()
    merged = Catalog(locale=language)
    for file in sorted((FOLDER / language).glob("*.po")):
        with file.open("rb") as text:
            for message in read_po(text, locale=language, abort_invalid=True):
                if not message.id or not message.string or "fuzzy" in message.flags:
                    continue
                said = message.string
                said = _spaced(said) if isinstance(said, str) else tuple(map(_spaced, said))
                known = merged.get(message.id, message.context)
                if known is not None and known.string != said:
                    raise ValueError(f"{file.name}: {message.id!r} has two translations: {known.string!r}")
                merged.add(message.id, said, context=message.context)
    binary = io.BytesIO()
    write_mo(binary, merged)
    binary.seek(0)
    return gettext.GNUTranslations(binary)


def _spaced(french: str) -> str:
    """No line begins with a mark, none ends with «: their spaces do not break, and are narrow before ; ? and !."""

    def kept(mark: re.Match[str]) -> str:
        wide, narrow, opening = mark.groups()
        return f"{opening}\u00a0" if opening else f"\u00a0{wide}" if wide else f"\u202f{narrow}"

    return _MARKS.sub(kept, french)


def say(language: str, text: str, /, **details: object) -> str:
    """``text`` in ``language`` with its placeholders filled."""
    translated = translations(language).gettext(text)
    return translated % details if details else translated
