"""The face keeps its promises: contrast, one place for colours, no inline code, no drawing or French missing."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from jinja2 import nodes
from markupsafe import Markup

from exchange.errors import N_, DomainError, Invalid, Several
from exchange.money import Money
from exchange.web.render import STATIC, TEMPLATES, _refusals_for, environment

SHEETS = {sheet.name: sheet.read_text() for sheet in (STATIC / "css").glob("*.css")}
PAGES = {str(page.relative_to(TEMPLATES)): page.read_text() for page in TEMPLATES.rglob("*.html")}
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", SHEETS["tokens.css"]
    )
}
GROUNDS = ("paper", "surface", "sunken", "raised")
TONES = ("success", "warning", "danger", "info", "accent")
TEXT = (
    [(ink, ground) for ink in ("ink", "ink-soft", "link", "danger", "accent") for ground in GROUNDS]
    + [("on-brand", "brand"), ("on-brand", "brand-strong"), ("on-danger", "danger"), ("on-accent", "accent")]
    + [(tone, f"{tone}-soft") for tone in TONES]
    + [("ink", f"{tone}-soft") for tone in (*TONES, "brand")]
    + [("link", "brand-soft"), ("ink-soft", "brand-soft"), ("ink-soft", "accent-soft")]
)
EDGES = [(edge, ground) for edge in ("line-strong", "brand") for ground in GROUNDS]


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize(("front", "ground"), TEXT)
def test_text_stands_out_by_day_and_by_night(front: str, ground: str) -> None:
    for scheme in (0, 1):
        assert contrast(COLOURS[front][scheme], COLOURS[ground][scheme]) >= 4.5


@pytest.mark.parametrize(("front", "ground"), EDGES)
def test_edges_of_controls_stand_out_by_day_and_by_night(front: str, ground: str) -> None:
    for scheme in (0, 1):
        assert contrast(COLOURS[front][scheme], COLOURS[ground][scheme]) >= 3


def test_every_custom_property_a_sheet_uses_is_set_somewhere_or_has_a_fallback() -> None:
    text = "\n".join(SHEETS.values())
    known = set(re.findall(r"(--[\w-]+):", text))
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= known


@pytest.mark.parametrize("page", sorted(PAGES))
def test_no_page_carries_style_or_script_of_its_own(page: str) -> None:
    text = PAGES[page]
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert all(re.search(r"\ssrc=", tag) for tag in re.findall(r"<script\b[^>]*>", text))


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_drawing_a_page_names_exists(page: str) -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "img" / "icons.svg").read_text()))
    tree = environment("en").parse(PAGES[page])
    named = {
        call.args[0].value
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name)
        and call.node.name in ("icon", "empty")
        and call.args
        and isinstance(call.args[0], nodes.Const)
    }
    assert named <= drawn


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_form_that_posts_carries_its_token(page: str) -> None:
    for form in re.findall(r"<form\b.*?</form>", PAGES[page], re.DOTALL | re.IGNORECASE):
        if re.search(r"method\s*=\s*[\"']post", form, re.IGNORECASE):
            assert "csrf_field()" in form


class TooDear(Invalid):
    """For these tests: a refusal that names a field."""

    message = N_("This cannot be done.")


def drawn(
    macro: str,
    *,
    refusal: DomainError | None = None,
    typed: Mapping[str, Any] | None = None,
    language: str = "en",
    **context: Any,
) -> str:
    source = '{% import "components/forms.html" as forms with context %}{{ ' + macro + " }}"
    template = environment(language).from_string(source)
    return template.render(
        refusal=refusal,
        refusals_for=lambda name: _refusals_for(refusal, language, "Europe/Paris", name),
        typed=typed or {},
        csrf_token="token",
        locale=language,
        zone="Europe/Paris",
        **context,
    )


def test_a_field_that_comes_back_keeps_what_was_typed_escaped() -> None:
    html = drawn("forms.field('title', 'Title', value='Old')", typed={"title": '"><b>New</b>'})
    assert Markup.escape('"><b>New</b>') in html
    assert "<b>" not in html and "Old" not in html


def test_a_password_never_comes_back() -> None:
    assert "secret" not in drawn("forms.field('word', 'Password', 'password')", typed={"word": "secret"})


@pytest.mark.parametrize(
    "macro",
    [
        "forms.field('price', 'Price')",
        "forms.number('price', 'Price')",
        "forms.money('price', 'Price', 'EUR')",
        "forms.area('price', 'Price')",
        "forms.select('price', 'Price', [('1', 'One')])",
        "forms.check('price', 'Price')",
        "forms.radios('price', 'Price', [('1', 'One')])",
        "forms.file('price', 'Price')",
    ],
)
@pytest.mark.parametrize("refusal", [TooDear(field="price"), Several([TooDear(field="price"), TooDear(field="other")])])
def test_a_refused_field_is_marked_and_tied_to_its_words(macro: str, refusal: DomainError) -> None:
    html = drawn(macro, refusal=refusal)
    assert 'aria-invalid="true"' in html
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described is not None
    assert all(f'id="{one}"' in html for one in described[1].split())
    assert html.count("This cannot be done.") == 1


def test_a_field_nobody_refused_is_not_marked() -> None:
    assert "aria-invalid" not in drawn("forms.field('title', 'Title')", refusal=TooDear(field="price"))


def test_choices_come_back_as_they_were_made() -> None:
    grades = "[('A', 'New'), ('B', 'Return'), ('C', 'Untested')]"
    html = drawn(f"forms.checks('grade', 'Grade', {grades}, values=['A'])", typed={"grade": ["B", "C"]})
    assert [value for value in "ABC" if f'value="{value}" checked' in html] == ["B", "C"]
    html = drawn(f"forms.radios('grade', 'Grade', {grades}, value='A')", typed={"grade": "B"})
    assert [value for value in "ABC" if f'value="{value}" checked' in html] == ["B"]
    html = drawn(f"forms.select('grade', 'Grade', {grades}, value='A')", typed={"grade": "C"})
    assert [value for value in "ABC" if f'value="{value}" selected' in html] == ["C"]


def test_an_unticked_box_stays_unticked_when_the_form_comes_back() -> None:
    assert "checked" in drawn("forms.check('agree', 'I agree', checked=true)")
    assert "checked" not in drawn("forms.check('agree', 'I agree', checked=true)", typed={"other": "1"})


@pytest.mark.parametrize(("language", "written"), [("en", "12.50"), ("fr", "12,50")])
def test_an_amount_stands_in_its_field_as_one_writes_it(language: str, written: str) -> None:
    html = drawn("forms.money('price', 'Price', 'EUR', value=amount)", language=language, amount=Money(1250, "EUR"))
    assert f'value="{written}"' in html
    assert Money.parse(written, "EUR") == Money(1250, "EUR")
