"""Translations: English is the key; French stands in ``fr/<domain>.po``, one file per domain, merged on first use."""

import gettext
import io
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("fr", "en")
FOLDER = Path(__file__).parent


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
                known = merged.get(message.id, message.context)
                if known is not None and known.string != message.string:
                    raise ValueError(f"{file.name}: {message.id!r} has two translations: {known.string!r}")
                merged.add(message.id, message.string, context=message.context)
    binary = io.BytesIO()
    write_mo(binary, merged)
    binary.seek(0)
    return gettext.GNUTranslations(binary)


def say(language: str, text: str, /, **details: object) -> str:
    """``text`` in ``language`` with its placeholders filled."""
    translated = translations(language).gettext(text)
    return translated % details if details else translated
