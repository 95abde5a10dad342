"""What only a browser can tell of the face: nothing sticks out, nothing is blocked, nothing is sent twice."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.browser.conftest import Instance

Visit = Callable[..., BrowserContext]
PUBLIC = ("/", "/about", "/sign-in", "/sign-up", "/forgotten", "/no-such-page")
DOCS = {"en": ("/api/v1/docs",)}
"""A heavy page of a library's own, in English only."""
WIDTHS = (360, 768, 1100, 1920)


def opened(context: BrowserContext, complaints: list[str]) -> Page:
    page = context.new_page()
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_page_scrolls_sideways_and_the_browser_blocks_nothing(visit: Visit, language: str) -> None:
    complaints: list[str] = []
    page = opened(visit(language), complaints)
    for path in (*PUBLIC, *DOCS.get(language, ())):
        page.goto(path)
        assert page.evaluate("document.documentElement.lang") == language
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
    assert [c for c in complaints if "status of 404" not in c] == []


def test_the_colours_chosen_are_there_at_once_and_on_the_next_page(visit: Visit) -> None:
    page = visit("en").new_page()
    page.goto("/about")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(ground)
    page.goto("/sign-in")
    assert page.evaluate(ground) == dark != light


def test_a_form_pressed_twice_is_sent_once(visit: Visit) -> None:
    page = visit("en").new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill("nobody@example.org")
    page.get_by_label("Password").fill("wrong on purpose")
    sent: list[str] = []

    def count(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    page.on("request", count)
    page.locator("main form button").dblclick()
    expect(page.get_by_role("alert")).to_be_visible()
    assert len(sent) == 1


def test_without_any_script_a_refused_form_keeps_what_was_typed(browser: Browser, running: Instance) -> None:
    context = browser.new_context(base_url=running.url, java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    page.goto("/sign-up")
    page.locator("[name=legal_name]").fill("Maison Éclair & Fils")
    page.locator("form[action='/sign-up']").evaluate("form => form.noValidate = true")
    page.locator("form[action='/sign-up'] button").click()
    assert page.locator("[name=legal_name]").input_value() == "Maison Éclair & Fils"
    wrong = page.locator("[name=registration][aria-invalid=true]")
    assert page.locator(f"#{(wrong.get_attribute('aria-describedby') or '').split()[0]}").inner_text()
    context.close()
