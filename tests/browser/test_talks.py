"""Two rivals bargain live, one in French and one in English: moves appear by themselves, no typed word is lost."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from playwright.sync_api import BrowserContext, Page, expect

from exchange.accounts.actions.passwords import hash_password
from exchange.database import execute
from exchange.offers import actions
from tests.browser.conftest import Instance
from tests.browser.people import PASSWORD, in_database
from tests.factories import make_person
from tests.offers.stage import Stage, staged
from tests.offers.test_requests import ask, wanting

Enter = Callable[..., BrowserContext]
PICTURES = os.environ.get("PICTURES")
SOON = 15_000
"""Milliseconds a loaded machine may take to the other's open page; `tests.load.live_pages` says how long it takes."""


async def _bargain() -> tuple[Stage, UUID]:
    stage = await staged(minimum=10, multiple=10)
    await execute("update person set password_hash = $1 where id = any($2)", await hash_password(PASSWORD), [
        stage.seller.id, stage.buyer.id,
    ])  # fmt: skip
    await execute("update person set language = 'fr' where id = $1", stage.seller.id)
    return stage, await stage.offer("7.50", 40, message="We could collect within the week.")


async def _work_inside(stage: Stage, talk: UUID) -> None:
    colleague = await make_person(stage.seller.company, name="Côme Collègue")
    await actions.assign_talk(negotiation_id=talk, person_id=colleague.id, by=stage.seller.actor)
    await actions.write_note(negotiation_id=talk, text="Plancher à 8 euros", by=colleague.actor)


def _sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form button").first.click()
    page.wait_for_url(re.compile(r"/$"))


def _picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True, caret="initial")


def test_a_move_appears_in_the_open_page_and_takes_no_typed_word_away(running: Instance, visit: Enter) -> None:
    stage, talk = in_database(running.environment["DATABASE_URL"], _bargain)
    faults: list[str] = []
    seller, buyer = visit("fr").new_page(), visit("en", width=390).new_page()
    for page in (seller, buyer):
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    _sign_in(seller, stage.seller.email)
    _sign_in(buyer, stage.buyer.email)

    seller.goto("/talks")
    _picture(seller, "talks-desktop-fr")
    seller.goto(f"/talks/{talk}")
    buyer.goto(f"/talks/{talk}")
    _picture(seller, "talk-desktop-fr")
    expect(buyer.locator("#answer form")).to_have_count(0)

    # a colleague of the seller's takes the talk over and leaves a note: it appears, and takes no typed word away
    asked: list[str] = []
    for page in (seller, buyer):
        page.on("request", lambda r: asked.append(r.url.rpartition("/")[2]) if "hx-request" in r.headers else None)
    buyer.evaluate(
        "path => { window.heard = []; const marks = [...document.querySelectorAll('[data-mark]')];"
        "new EventSource(`${path}?mark=${marks.map(m => m.dataset.mark).join('.')}`).addEventListener("
        "'changed', e => window.heard.push(e.data.split('.')[0])) }",
        f"/talks/{talk}/live",
    )
    seller.locator("#move [name=price]").fill("9,20")
    seller.locator("#team textarea").fill("Le transport est pour")
    in_database(running.environment["DATABASE_URL"], lambda: _work_inside(stage, talk))
    expect(seller.locator("#inside")).to_contain_text("Plancher à 8 euros", timeout=SOON)
    expect(seller.locator("#inside")).to_contain_text("Côme Collègue suit cette négociation", timeout=SOON)
    expect(seller.locator("#team textarea")).to_have_value("Le transport est pour")
    expect(seller.locator("#move [name=price]")).to_have_value("9,20")
    assert set(asked) == {"team"}, "nobody asks again for what has not changed"

    # the counter appears, and with it the form to answer
    seller.locator("#move [name=quantity]").fill("40")
    seller.locator("#move [name=cost]").select_option("end_of_season")
    with seller.expect_response(lambda answer: answer.url.endswith("/offers")):
        seller.get_by_role("button", name="Envoyer la contre-proposition").click()
    expect(buyer.locator("#thread")).to_contain_text("€9.20", timeout=SOON)
    expect(buyer.locator("#answer form")).to_have_count(1)
    assert buyer.evaluate("window.heard") == ["offer"], "and of what happened inside the other side heard nothing"
    assert "Plancher" not in buyer.content()
    _picture(buyer, "talk-phone-en")

    # the buyer types; meanwhile the seller withdraws: the page follows, the words stay
    words = "We can take forty at once and forty more in spring."
    buyer.locator("#move [name=message]").fill(words)
    seller.get_by_role("button", name="Retirer", exact=True).click()
    with seller.expect_response(lambda answer: answer.url.endswith("/withdrawal")):
        seller.get_by_role("button", name="Retirer l’offre").click()
    expect(buyer.locator("#thread")).to_contain_text("offer withdrawn", timeout=SOON)
    expect(buyer.locator("#move [name=message]")).to_have_value(words)
    expect(buyer.locator("#seen")).to_have_value("2")

    # what was typed is sent, and reaches the seller's open page
    buyer.locator("#move [name=price]").fill("8.10")
    buyer.locator("#move [name=quantity]").fill("40")
    with buyer.expect_response(lambda answer: answer.url.endswith("/offers")):
        buyer.get_by_role("button", name=re.compile("^Send the")).click()
    expect(seller.locator("#thread")).to_contain_text("8,10", timeout=SOON)
    expect(seller.locator("#thread")).to_contain_text(words)

    # agreed by the seller; both read the other's name at once
    seller.get_by_role("button", name="Accepter", exact=True).click()
    with seller.expect_response(lambda answer: answer.url.endswith("/acceptance")):
        seller.get_by_role("button", name=re.compile("^Accepter pour")).click()
    assert stage.seller.company
    expect(buyer.locator("#thread")).to_contain_text(stage.seller.company.trading_name, timeout=SOON)
    _picture(buyer, "agreed-phone-en")
    assert not faults, faults


def test_the_list_of_talks_is_walked_with_keys_that_leave_writing_alone(running: Instance, visit: Enter) -> None:
    stage, talk = in_database(running.environment["DATABASE_URL"], _bargain)
    page = visit("fr").new_page()
    _sign_in(page, stage.seller.email)
    page.goto("/talks")
    page.keyboard.press("j")
    expect(page.locator(f"a[href='/talks/{talk}']")).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("input[name=talk]")).to_be_checked()
    page.keyboard.press("d")
    act = page.get_by_role("button", name="Décliner les offres cochées")
    expect(act).to_be_focused()
    page.set_viewport_size({"width": 360, "height": 420})
    page.evaluate("scrollTo(0, 0)")
    expect(act).to_be_in_viewport()
    page.locator("input[name=talk]").press("Enter")
    page.wait_for_url(f"**/talks/{talk}")  # opened: nothing was sent
    page.goto("/lots/mine?show=ended")
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
    page.goto("/talks")
    expect(page.locator("[name=q]")).to_be_hidden()
    page.keyboard.press("/")  # folded on a phone: the key opens what it finds
    expect(page.locator("[name=q]")).to_be_focused()
    page.keyboard.type("jx/k")
    expect(page.locator("[name=q]")).to_have_value("jx/k")
    page.goto("/talks")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/talks/{talk}")


def test_who_agreed_write_to_each_other_live_and_keep_what_they_type(running: Instance, visit: Enter) -> None:
    stage, talk = in_database(running.environment["DATABASE_URL"], _bargain)
    page = visit("fr").new_page()
    _sign_in(page, stage.buyer.email)
    page.goto(f"/talks/{talk}")
    expect(page.locator("[name=message]")).to_have_count(0)

    async def accept() -> None:
        await stage.accept(talk, "7.50", 40)

    async def answer() -> None:
        await actions.write_message(negotiation_id=talk, text="Le quai 3", by=stage.seller.actor)

    in_database(running.environment["DATABASE_URL"], accept)
    page.locator("[name=message]").fill("Bonjour")
    in_database(running.environment["DATABASE_URL"], answer)
    expect(page.locator("li.bubble", has_text="Le quai 3")).to_be_visible()
    expect(page.locator("[name=message]")).to_have_value("Bonjour")
    page.locator("form[action$=messages] button").click()
    expect(page.locator("li.bubble.mine", has_text="Bonjour")).to_be_visible()
    page.goto(f"/talks/{talk}/contract")
    expect(page.locator("main")).to_contain_text("Solène Vendeuse")


def test_who_looks_at_the_inbox_hears_of_a_request_for_a_price_and_of_an_offer(running: Instance, visit: Enter) -> None:
    async def prepared() -> tuple[Stage, UUID]:
        stage = await staged()
        password = await hash_password(PASSWORD)
        await execute("update person set password_hash = $2, language = 'fr' where id = $1", stage.seller.id, password)
        return stage, await wanting(stage.buyer)

    url = running.environment["DATABASE_URL"]
    stage, want = in_database(url, prepared)
    page = visit("fr").new_page()
    _sign_in(page, stage.seller.email)
    with page.expect_request(re.compile("/talks/live")):
        page.goto("/talks")
    expect(page.get_by_text("On vous demande un prix")).to_have_count(0)
    in_database(url, lambda: ask(want, stage.buyer, stage))
    expect(page.get_by_text("On vous demande un prix pour « Sabots")).to_be_visible(timeout=SOON)
    in_database(url, stage.offer)
    page.get_by_role("link", name="Voir l’offre").click(timeout=SOON)
    expect(page).to_have_url(re.compile("/talks/[0-9a-f-]{36}$"))
