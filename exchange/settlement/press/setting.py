"""A sheet set as PDF/A-3b by Typst, which embeds its fonts and refuses to write what the standard does not allow."""

import json
import unicodedata
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from exchange.settlement.press.sheets import Sheet

TEMPLATE = Path(__file__).resolve().parents[3] / "templates" / "settlement" / "paper.typ"


def set_sheet(sheet: Sheet) -> bytes:
    """The sheet as PDF. A character none of the fonts has is shown as a question mark, rather than no paper at all."""
    import typst  # heavy: loaded where a paper is made, not where the website starts

    try:
        return _compile(sheet, plain=False)
    except typst.TypstError as e:
        if "could not be displayed" not in str(e):
            raise
        return _compile(sheet, plain=True)


def _compile(sheet: Sheet, *, plain: bool) -> bytes:
    import typst

    words = asdict(sheet)
    del words["at"]
    for name in ("parties", "sections", "signatures"):
        words[name] = [
            {"heading": b["heading"], "lines": b["lines"], "paragraphs": b["lines"], "hint": b["lines"][0]}
            for b in words[name]
        ]
    made: bytes = typst.compile(
        _template(),
        format="pdf",
        pdf_standards="a-3b",
        ignore_system_fonts=True,
        sys_inputs={"sheet": json.dumps(_signs(words, plain=plain), ensure_ascii=False)},
        timestamp=int(sheet.at.timestamp()),
    )
    return made


@lru_cache(maxsize=1)
def _template() -> bytes:
    return TEMPLATE.read_bytes()


def _signs(value: Any, *, plain: bool) -> Any:
    """The same without control characters; ``plain``: and without signs beyond Latin, Greek and Cyrillic."""
    if isinstance(value, str):
        kept = (c for c in value if unicodedata.category(c) != "Cc" or c == "\n")
        return "".join(c if not plain or _known(c) else "?" for c in kept)
    if isinstance(value, dict):
        return {name: _signs(part, plain=plain) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_signs(part, plain=plain) for part in value]
    return value


def _known(sign: str) -> bool:
    if sign < "\u0250":
        return True
    name = unicodedata.name(sign, "")
    return name.startswith(("LATIN", "GREEK", "CYRILLIC")) or sign in "\u2003\u202f’‘“”–—•…€№™"
