"""Folding changes when a text is looked up, never what stands in the page."""

import pytest
from jinja2 import Environment
from markupsafe import Markup

from exchange.web.folding import folding


@pytest.fixture
def looked_up() -> list[str]:
    return []


@pytest.fixture
def env(looked_up: list[str]) -> Environment:
    def translated(key: str) -> Markup:
        looked_up.append(key)
        return Markup("<fr>") + key.upper()

    def asset(name: str) -> str:
        return f"/static/{name}?a&b"

    env = Environment(autoescape=True)
    env.globals |= {"_": translated, "asset": asset}
    env.code_generator_class = folding({"_": translated, "asset": asset})
    return env


def test_a_constant_text_is_looked_up_once_however_often_the_page_is_drawn(
    env: Environment, looked_up: list[str]
) -> None:
    page = env.from_string("{{ _('save') }}")
    assert page.render() == page.render() == "<fr>SAVE"
    assert looked_up == ["save"]


def test_a_text_known_only_in_the_page_is_looked_up_there(env: Environment, looked_up: list[str]) -> None:
    page = env.from_string("{{ _(word) }}")
    assert page.render(word="one") == "<fr>ONE"
    assert page.render(word="two") == "<fr>TWO"
    assert looked_up == ["one", "two"]


@pytest.mark.parametrize("inside", ["{% set x = _('a') %}{{ x }}", "{{ ({'k': _('a')})['k'] }}", "{{ _('a') ~ '' }}"])
def test_a_folded_text_is_as_safe_as_before_wherever_it_stands(env: Environment, inside: str) -> None:
    plain = Environment(autoescape=True)
    plain.globals |= env.globals
    assert env.from_string(inside).render() == plain.from_string(inside).render()


def test_an_address_is_escaped_like_any_other_text(env: Environment) -> None:
    assert env.from_string('<img src="{{ asset("a.svg") }}">').render() == '<img src="/static/a.svg?a&amp;b">'


def test_a_text_with_placeholders_is_left_to_gettext(env: Environment, looked_up: list[str]) -> None:
    env.from_string("{{ _('%(n)s lots') }}")
    assert looked_up == []
