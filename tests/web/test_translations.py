"""Both languages are whole: every text of the code and the templates has its French."""

from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from exchange.web.translations import translations

ROOT = Path(__file__).resolve().parents[2]
METHODS = [
    ("exchange/sandbox/**", "ignore"),
    ("exchange/**.py", "python"),
    ("templates/**", "jinja2.ext:babel_extract"),
]
pytestmark = pytest.mark.xdist_group("words")
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "say": (2,)}


@cache
def wanted() -> dict[str, str]:
    """Every message id with the first place it stands in."""
    found: dict[str, str] = {}
    for file, line, message, _, _ in extract_from_dir(
        str(ROOT),
        method_map=METHODS,
        options_map={"templates/**": {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trimmed": "false"}},
        keywords=KEYWORDS,
        directory_filter=lambda path: not Path(path).name.startswith((".", "tests")),
    ):
        text = message[0] if isinstance(message, tuple) else message  # of a plural, the singular is the key
        if text:
            found.setdefault(text, f"{file}:{line}")
    return found


def test_every_text_has_its_french() -> None:
    french = translations("fr")
    missing = {text: place for text, place in wanted().items() if _translated(french, text) is None}
    assert not missing, "\n".join(f"{place}: {text!r}" for text, place in sorted(missing.items(), key=lambda m: m[1]))


def test_no_french_is_kept_of_a_text_that_is_gone() -> None:
    texts = wanted()
    for file in sorted((ROOT / "exchange/web/translations/fr").glob("*.po")):
        with file.open("rb") as catalogue:
            keys = [m.id if isinstance(m.id, str) else m.id[0] for m in read_po(catalogue) if m.id]
        assert not [key for key in keys if key not in texts], file.name


def test_placeholders_survive_translation() -> None:
    import re

    french = translations("fr")
    for text in wanted():
        there = _translated(french, text)
        if there is not None:
            assert set(re.findall(r"%\((\w+)\)", text)) == set(re.findall(r"%\((\w+)\)", there)), text


def test_no_line_of_french_begins_with_a_mark_or_ends_with_an_opening_one() -> None:
    messages = translations("fr")._catalog.values()  # type: ignore[attr-defined]  # as below
    assert not [said for said in messages if any(pair in said for pair in (" :", " ;", " ?", " !", " »", "« "))]


def _translated(catalogue: object, text: str) -> str | None:
    messages = catalogue._catalog  # type: ignore[attr-defined]  # gettext keeps it there; there is no other way to ask
    return (
        messages.get(text)
        or messages.get((text, 0))
        or next((v for k, v in messages.items() if isinstance(k, tuple) and k[0] == text), None)
    )
