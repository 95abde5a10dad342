"""What people see: pay page, onboarding, controls; in two languages, without scripts, unmistakably a sandbox."""

import re
import time
from typing import Any

import httpx
import pytest
import stripe

from exchange.sandbox.faults import CONTROLS
from exchange.sandbox.pages.paying import OUTCOMES
from exchange.sandbox.words import FRENCH, language_of
from tests.sandbox.conftest import Sandbox
from tests.sandbox.test_journey import new_seller, new_session, onboard, pay, retrieved, status_of


def looks_right(answer: httpx.Response, language: str) -> None:
    banner = {"en": "Payment sandbox: no real money", "fr": "Bac à sable de paiement\u00a0: aucun argent réel"}[
        language
    ]
    assert f'lang="{language}"' in answer.text
    assert banner in answer.text
    assert "SANDBOX" in answer.text
    assert "<script" not in answer.text
    assert not re.search(r"<style|\sstyle=|\son\w+=", answer.text)
    assert "stripe" not in answer.text.lower()
    assert answer.headers["x-sandbox"] == "NOT STRIPE"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert 'name="viewport"' in answer.text


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_pay_page_speaks_both_languages(sandbox: Sandbox, language: str) -> None:
    session = await new_session(sandbox, 1234_56)
    answer = await sandbox.http.get(f"/c/pay/{session.id}", headers={"Accept-Language": f"{language},de;q=0.5"})
    looks_right(answer, language)
    assert ("€1,234.56" if language == "en" else "1\u202f234,56\xa0€") in answer.text
    other = "fr" if language == "en" else "en"
    looks_right(await sandbox.http.get(f"/c/pay/{session.id}?locale={other}"), other)


async def test_the_sessions_locale_wins_over_the_browser(sandbox: Sandbox) -> None:
    session = await new_session(sandbox, locale="fr")
    looks_right(await sandbox.http.get(f"/c/pay/{session.id}", headers={"Accept-Language": "en"}), "fr")


async def test_a_declined_card_keeps_the_session_open_for_another_try(sandbox: Sandbox) -> None:
    session = await new_session(sandbox)
    answer = await pay(sandbox, session, "card:4000000000000002")
    assert (answer.status_code, "Your card was declined." in answer.text) == (402, True)
    found = await retrieved(sandbox, session.id)
    assert (found.status, found.payment_intent.status) == ("open", "requires_payment_method")
    await pay(sandbox, session, "card:4242424242424242")
    found = await retrieved(sandbox, session.id)
    assert (found.status, found.payment_status) == ("complete", "paid")
    assert len((await sandbox.v1.payment_intents.list_async()).data) == 1


async def test_a_second_press_of_pay_does_not_pay_twice(sandbox: Sandbox) -> None:
    session = await new_session(sandbox)
    await pay(sandbox, session, "card:4242424242424242")
    again = await pay(sandbox, session, "card:4242424242424242")
    assert "already been made" in again.text
    assert len((await sandbox.v1.charges.list_async()).data) == 1


@pytest.mark.parametrize(("answer", "status"), [("yes", "complete"), ("no", "open")])
async def test_the_bank_asks_on_the_way(sandbox: Sandbox, answer: str, status: str) -> None:
    session = await new_session(sandbox)
    asked = (await pay(sandbox, session, "card:4000002760003184")).headers["location"]
    looks_right(await sandbox.http.get(asked), "en")
    back = await sandbox.http.post(asked, data={"answer": answer})
    expected = f"http://127.0.0.1:9/paid?cs={session.id}" if answer == "yes" else f"/c/pay/{session.id}"
    assert back.headers["location"] == expected
    assert (await retrieved(sandbox, session.id)).status == status


@pytest.mark.parametrize(
    ("outcome", "days", "event", "paid"),
    [
        ("sepa_debit:AT611904300234573201", 5, "checkout.session.async_payment_succeeded", "paid"),
        ("sepa_debit:AT861904300235473202", 5, "checkout.session.async_payment_failed", "unpaid"),
        ("customer_balance:exact", 0, "checkout.session.async_payment_succeeded", "paid"),
        ("customer_balance:over", 0, "checkout.session.async_payment_succeeded", "paid"),
        ("customer_balance:late", 3, "checkout.session.async_payment_succeeded", "paid"),
    ],
)
async def test_slow_methods_complete_first_and_pay_later(
    sandbox: Sandbox, outcome: str, days: int, event: str, paid: str
) -> None:
    session = await new_session(sandbox)
    await pay(sandbox, session, outcome)
    found = await retrieved(sandbox, session.id)
    assert (found.status, found.payment_status) == ("complete", "unpaid")
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.v1.checkout.sessions.expire_async(session.id)
    await sandbox.control("clock", days=days, seconds=5)
    assert (await retrieved(sandbox, session.id)).payment_status == paid
    assert event in await sandbox.types()


async def test_a_short_transfer_can_be_completed_on_its_own_page(sandbox: Sandbox) -> None:
    session = await new_session(sandbox)
    await pay(sandbox, session, "customer_balance:short")
    await sandbox.control("clock", seconds=5)
    found = await retrieved(sandbox, session.id)
    url = found.payment_intent.next_action.display_bank_transfer_instructions.hosted_instructions_url
    page = await sandbox.http.get(url)
    looks_right(page, "en")
    assert "€50.00" in page.text
    await sandbox.http.post(url, data={"amount": "5000"})
    assert (await retrieved(sandbox, session.id)).payment_status == "paid"
    assert "Nothing more to be paid" in (await sandbox.http.get(url)).text


async def test_a_session_expires_by_hand_or_by_time(sandbox: Sandbox) -> None:
    one, two = await new_session(sandbox), await new_session(sandbox)
    assert (await sandbox.v1.checkout.sessions.expire_async(one.id)).status == "expired"
    await sandbox.control("clock", days=1, seconds=5)
    assert (await retrieved(sandbox, two.id)).status == "expired"
    page = await pay(sandbox, two, "card:4242424242424242")
    assert (page.status_code, "expired" in page.text) == (410, True)
    found = await sandbox.v1.checkout.sessions.list_async({"status": "expired"})
    assert len(found.data) == 2


@pytest.mark.parametrize("minutes", [10, 60 * 25])
async def test_a_session_lives_between_half_an_hour_and_a_day(sandbox: Sandbox, minutes: int) -> None:
    now = (await sandbox.http.get("/_sandbox/clock")).json()["now"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await new_session(sandbox, expires_at=now + minutes * 60)
    assert refused.value.param == "expires_at"


async def test_an_outcome_must_be_chosen_and_offered(sandbox: Sandbox) -> None:
    session = await new_session(sandbox, allowed_payment_method_types=["card"])
    assert "Choose one of the outcomes." in (await pay(sandbox, session, "")).text
    assert "not offered" in (await pay(sandbox, session, "sepa_debit:AT611904300234573201")).text
    assert "SEPA" not in (await sandbox.http.get(f"/c/pay/{session.id}")).text


async def test_line_items_take_prices_too(sandbox: Sandbox) -> None:
    product = await sandbox.v1.products.create_async({"name": "Chair"})
    price = await sandbox.v1.prices.create_async({"product": product.id, "currency": "eur", "unit_amount": 7_00})
    session = await new_session(sandbox, line_items=[{"price": price.id, "quantity": 3}])
    lines = await sandbox.v1.checkout.sessions.line_items.list_async(session.id)
    assert [(line.description, line.amount_total) for line in lines.data] == [("Chair", 21_00)]


async def test_what_is_not_there_says_so(sandbox: Sandbox) -> None:
    for path in ("/c/pay/cs_no", "/c/authenticate/pi_no", "/c/instructions/pi_no", "/c/onboarding/acctlink_no"):
        answer = await sandbox.http.get(path)
        assert answer.status_code == 404
        looks_right(answer, "en")


# ---------------------------------------------------------------- onboarding


async def test_an_onboarding_link_opens_once(sandbox: Sandbox) -> None:
    seller = await new_seller(sandbox)
    case: Any = {"type": "account_onboarding", "account_onboarding": {"refresh_url": "http://127.0.0.1:9/refresh"}}
    link = await sandbox.v2.account_links.create_async({"account": seller.id, "use_case": case})
    looks_right(await sandbox.http.get(link.url, headers={"Accept-Language": "fr"}), "fr")
    assert (await sandbox.http.get(link.url)).headers["location"] == "http://127.0.0.1:9/refresh"
    late = await sandbox.v2.account_links.create_async({"account": seller.id, "use_case": case})
    await sandbox.control("clock", hours=1)
    assert (await sandbox.http.get(late.url)).headers["location"] == "http://127.0.0.1:9/refresh"


@pytest.mark.parametrize(
    ("outcome", "at_once", "later"),
    [
        ("complete", "active", "active"),
        ("incomplete", "restricted", "restricted"),
        ("restricted_later", "active", "restricted"),
        ("leave", "restricted", "restricted"),
    ],
)
async def test_onboarding_ends_as_chosen(sandbox: Sandbox, outcome: str, at_once: str, later: str) -> None:
    seller = await new_seller(sandbox)
    await onboard(sandbox, seller.id, outcome)
    assert await status_of(sandbox, seller.id) == at_once
    await sandbox.control("clock", days=4)
    assert await status_of(sandbox, seller.id) == later


async def test_requirements_tell_what_is_missing(sandbox: Sandbox) -> None:
    seller = await new_seller(sandbox)
    assert len(seller.requirements.entries) == 4
    await onboard(sandbox, seller.id, "incomplete")
    found = await sandbox.v2.accounts.retrieve_async(seller.id, {"include": ["requirements", "identity", "defaults"]})
    assert [e.description for e in found.requirements.entries] == ["identity.business_details.id_numbers"]
    assert found.defaults.responsibilities.losses_collector == "application"


async def test_an_account_can_be_changed_and_closed(sandbox: Sandbox) -> None:
    seller = await new_seller(sandbox)
    changed = await sandbox.v2.accounts.update_async(seller.id, {"display_name": "New name", "metadata": {"a": "b"}})
    assert (changed.display_name, changed.metadata["a"]) == ("New name", "b")
    assert (await sandbox.v2.accounts.close_async(seller.id, {"applied_configurations": ["recipient"]})).closed
    assert (await sandbox.v2.accounts.list_async({"closed": True})).data[0].id == seller.id
    assert (await sandbox.v2.accounts.list_async()).data == []


async def test_an_express_account_without_responsibility_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.StripeError, match="losses_collector"):
        await sandbox.v2.accounts.create_async({"dashboard": "express", "identity": {"country": "fr"}})


async def test_v1_shows_the_same_account(sandbox: Sandbox) -> None:
    seller = await new_seller(sandbox)
    await onboard(sandbox, seller.id, "complete")
    shown = await sandbox.v1.accounts.retrieve_async(seller.id)
    assert (shown.capabilities.transfers, shown.payouts_enabled, shown.charges_enabled) == ("active", True, False)
    bare = await sandbox.v1.accounts.create_async({"country": "FR", "email": "b@example.test"})
    assert [a.id for a in (await sandbox.v1.accounts.list_async()).data] == [bare.id, seller.id]
    assert (await sandbox.v1.accounts.delete_async(bare.id)).deleted
    link = await sandbox.v1.account_links.create_async(
        {
            "account": seller.id,
            "type": "account_onboarding",
            "refresh_url": "http://x.test",
            "return_url": "http://y.test",
        }
    )
    assert link.url.startswith(sandbox.settings.public_url)
    assert (await sandbox.v1.accounts.retrieve_current_async()).id == "acct_sbxplatform"


# ---------------------------------------------------------------- controls


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_the_controls_page_lists_what_is_simulated(sandbox: Sandbox, language: str) -> None:
    answer = await sandbox.http.get("/_sandbox/", headers={"Accept-Language": language})
    assert answer.status_code == 200
    for control in CONTROLS.values():
        assert (FRENCH[control.title].replace("'", "&#39;") if language == "fr" else "") in answer.text
    routes = (await sandbox.http.get("/_sandbox/routes")).json()
    assert {"method": "GET", "path": "/v1/events", "depth": "simulated", "note": ""} in routes
    assert all(route["note"] for route in routes if route["depth"] == "simplified")
    assert "POST /v1/refunds" in answer.text


async def test_controls_work_as_forms_too(sandbox: Sandbox) -> None:
    before = (await sandbox.http.get("/_sandbox/clock")).json()["now"]
    answer = await sandbox.http.post("/_sandbox/clock", data={"days": "2", "hours": ""})
    assert "<pre>" in answer.text
    after = (await sandbox.http.get("/_sandbox/clock")).json()
    assert after["now"] - before >= 2 * 86_400
    assert after["offset_seconds"] == pytest.approx(2 * 86_400, abs=5)
    refused = await sandbox.http.post("/_sandbox/dispute", data={"charge": "ch_no"})
    assert (refused.status_code, "No such charge" in refused.text) == (422, True)
    assert (await sandbox.http.post("/_sandbox/nonsense", json={})).status_code == 404
    assert (await sandbox.http.post("/_sandbox/clock", json={"weeks": 1})).status_code == 422


async def test_a_fresh_sandbox_may_begin_in_the_past_but_never_goes_back(sandbox: Sandbox) -> None:
    await sandbox.control("begin", days_ago=30)
    assert (await sandbox.http.get("/_sandbox/clock")).json()["offset_seconds"] == pytest.approx(-30 * 86_400, abs=5)
    customer = await sandbox.v1.customers.create_async({"email": "play@example.org"})
    assert customer.created == pytest.approx(time.time() - 30 * 86_400, abs=30)
    refused = await sandbox.http.post("/_sandbox/begin", json={"days_ago": 40})
    assert (refused.status_code, "only goes forward" in refused.text) == (422, True)


def test_every_word_has_its_french() -> None:
    said = {control.title for control in CONTROLS.values()} | {outcome.title for outcome in OUTCOMES}
    assert said <= FRENCH.keys()
    for french in FRENCH.values():
        assert not re.search(r"[a-zé] [:;?!]", french), f"a breaking space before punctuation: {french}"


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        (None, "fr-FR,en;q=0.8", "fr"),
        (None, "en,fr;q=0.9", "en"),
        (None, "", "en"),
        ("fr", "en", "fr"),
        ("auto", "fr", "fr"),
    ],
)
def test_the_language_is_chosen_as_browsers_say(asked: str | None, header: str, language: str) -> None:
    assert language_of(asked, header) == language


async def test_what_is_left_out_is_said_on_the_page_and_at_the_address(sandbox: Sandbox) -> None:
    page = (await sandbox.http.get("/_sandbox")).text
    assert "/v1/setup_intents" in page and "/v1/refunds" in page
    missed = await sandbox.http.get("/v1/setup_intents/seti_1")
    assert missed.status_code == 404 and "does not simulate saving a payment method" in missed.text
    unheard_of = await sandbox.http.get("/v1/setup_intentsandmore")
    assert unheard_of.status_code == 404 and "may not simulate it" in unheard_of.text


async def test_the_cli_pays_a_session_as_its_page_would_but_not_another_sum(sandbox: Sandbox) -> None:
    session = await new_session(sandbox)
    assert (await sandbox.http.get(f"/v1/payment_pages/{session.id}")).json()["id"] == session.id
    form = {"payment_method": "pm_card_visa", "expected_amount": "1"}
    confirm = f"/v1/payment_pages/{session.id}/confirm"
    assert (await sandbox.http.post(confirm, data=form)).status_code == 400
    paid = await sandbox.http.post(confirm, data=form | {"expected_amount": str(session.amount_total)})
    assert paid.json()["payment_status"] == "paid"
    again = await sandbox.http.post(confirm, data=form | {"expected_amount": str(session.amount_total)})
    assert again.json()["error"]["code"] == "checkout_session_not_open"


async def test_a_payment_method_may_get_other_billing_details(sandbox: Sandbox) -> None:
    method = await sandbox.v1.payment_methods.create_async({"type": "card", "card": {"token": "tok_visa"}})
    changed = await sandbox.v1.payment_methods.update_async(
        method.id, {"billing_details": {"name": "Ada"}, "allow_redisplay": "always", "metadata": {"a": "b"}}
    )
    assert (changed.billing_details.name, changed.allow_redisplay, changed.metadata["a"]) == ("Ada", "always", "b")
