"""Keys, versions, parameters, idempotency, paging, expansion: the protocol around every endpoint."""

import asyncio
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.conftest import Sandbox, close, sdk
from tests.sandbox.kept import KEY
from tests.sandbox.test_journey import new_session, paid_charge

DAHLIA = "2026-08-26.dahlia"


async def post(sandbox: Sandbox, path: str, data: dict[str, Any], **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await sandbox.http.post(path, data=data, headers=named)


async def test_every_answer_is_marked_as_not_stripe_and_has_a_request_id(sandbox: Sandbox) -> None:
    answer = await sandbox.http.get("/v1/balance")
    assert answer.headers["x-sandbox"] == "NOT STRIPE"
    assert answer.headers["request-id"].startswith("req_sbx")
    assert answer.headers["stripe-version"] == "2026-10-28.endive"
    assert answer.json()["livemode"] is False
    made = await sandbox.v1.customers.create_async({"email": "a@example.test"})
    assert made.id.startswith("cus_sbx")


@pytest.mark.parametrize(
    ("key", "says"),
    [("", "did not provide"), ("sk_live_abcdef", "sk_test_ keys only"), ("sk_test_other", "Invalid API Key")],
)
async def test_only_the_one_test_key_opens(sandbox: Sandbox, key: str, says: str) -> None:
    headers = {"Authorization": f"Bearer {key}" if key else ""}
    answer = await sandbox.http.get("/v1/balance", headers=headers)
    assert answer.status_code == 401
    assert says in answer.json()["error"]["message"]
    assert "abcdef" not in answer.text


async def test_an_unknown_parameter_is_refused_by_its_full_name(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.v1.checkout.sessions.create_async(
            {"success_url": "http://x.test", "line_items": [{"price_data": {"currency": "eur", "colour": "red"}}]}
        )
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "line_items[0][price_data][colour]")


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": "ten", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": "0", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": "49", "currency": "eur"}, "amount_too_small", "amount"),
        ({"amount": "100000000", "currency": "eur"}, "amount_too_large", "amount"),
        ({"amount": "100", "currency": "eur", "customer": "cus_no"}, "resource_missing", "customer"),
        ({"amount": "100", "currency": "eur", "metadata[k]": "v" * 501}, None, "metadata"),
    ],
)
async def test_a_wrong_parameter_is_named(sandbox: Sandbox, sent: Any, code: str | None, param: str) -> None:
    error = (await post(sandbox, "/v1/payment_intents", sent)).json()["error"]
    assert (error.get("code"), error["param"], error["type"]) == (code, param, "invalid_request_error")


async def test_an_address_it_does_not_know_is_a_404_in_stripes_words(sandbox: Sandbox) -> None:
    answer = await sandbox.http.get("/v1/subscriptions")
    assert answer.status_code == 404
    assert "Unrecognized request URL (GET: /v1/subscriptions)" in answer.json()["error"]["message"]


async def test_versions_are_kept_apart(sandbox: Sandbox) -> None:
    body = {"amount": "1000", "currency": "eur", "payment_method_types[0]": "card"}
    endive = await post(sandbox, "/v1/payment_intents", body)
    assert endive.json()["error"]["code"] == "payment_method_types_no_longer_supported"
    dahlia = await post(sandbox, "/v1/payment_intents", body, Stripe_Version=DAHLIA)
    assert dahlia.json()["payment_method_types"] == ["card"]
    assert "allowed_payment_method_types" not in dahlia.json()
    newer = {"amount": "1000", "currency": "eur", "allowed_payment_method_types[0]": "card"}
    refused = await post(sandbox, "/v1/payment_intents", newer, Stripe_Version=DAHLIA)
    assert refused.json()["error"]["code"] == "parameter_unknown"
    unknown = await post(sandbox, "/v1/payment_intents", newer, Stripe_Version="2019-01-01")
    assert (unknown.status_code, "Invalid Stripe API version" in unknown.text) == (400, True)


async def test_the_same_key_and_body_give_the_same_answer_once(sandbox: Sandbox) -> None:
    body = {"email": "a@example.test"}
    first = await post(sandbox, "/v1/customers", body, Idempotency_Key="k1")
    again = await post(sandbox, "/v1/customers", body, Idempotency_Key="k1")
    assert first.text == again.text
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len((await sandbox.http.get("/v1/customers")).json()["data"]) == 1


async def test_a_key_with_another_body_is_an_idempotency_error(sandbox: Sandbox) -> None:
    await sandbox.v1.customers.create_async({"email": "a@example.test"}, {"idempotency_key": "k1"})
    with pytest.raises(stripe.IdempotencyError):
        await sandbox.v1.customers.create_async({"email": "b@example.test"}, {"idempotency_key": "k1"})


async def test_a_refused_parameter_does_not_use_the_key_up(sandbox: Sandbox) -> None:
    wrong = await post(sandbox, "/v1/customers", {"emial": "a@example.test"}, Idempotency_Key="k1")
    right = await post(sandbox, "/v1/customers", {"email": "a@example.test"}, Idempotency_Key="k1")
    assert (wrong.status_code, right.status_code) == (400, 200)


async def test_an_executed_refusal_is_replayed(sandbox: Sandbox) -> None:
    body = {"amount": "1000", "currency": "eur", "payment_method": "pm_card_chargeDeclined", "confirm": "true"}
    first = await post(sandbox, "/v1/payment_intents", body, Idempotency_Key="k1")
    again = await post(sandbox, "/v1/payment_intents", body, Idempotency_Key="k1")
    assert (first.status_code, first.json()["error"]["code"]) == (402, "card_declined")
    assert again.text == first.text
    assert len((await sandbox.http.get("/v1/charges")).json()["data"]) == 1


async def test_a_key_dies_after_a_virtual_day(sandbox: Sandbox) -> None:
    body = {"email": "a@example.test"}
    first = await post(sandbox, "/v1/customers", body, Idempotency_Key="k1")
    await sandbox.control("clock", hours=25)
    later = await post(sandbox, "/v1/customers", body, Idempotency_Key="k1")
    assert first.json()["id"] != later.json()["id"]


async def test_the_same_key_at_the_same_time_is_a_conflict(sandbox: Sandbox) -> None:
    body = {"email": "a@example.test"}
    answers = await asyncio.gather(*(post(sandbox, "/v1/customers", body, Idempotency_Key="k1") for _ in range(8)))
    kinds = {answer.status_code for answer in answers}
    assert kinds <= {200, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 200}) == 1
    codes = {answer.json()["error"]["code"] for answer in answers if answer.status_code == 409}
    assert codes <= {"idempotency_key_in_use"}


@pytest.mark.parametrize("kind", ["error_500", "error_500_after"])
async def test_a_500_is_replayed_whether_or_not_the_work_was_done(sandbox: Sandbox, kind: str) -> None:
    await sandbox.control("calls", kind=kind, path="/v1/customers")
    body = {"email": "a@example.test"}
    first = await post(sandbox, "/v1/customers", body, Idempotency_Key="k1")
    again = await post(sandbox, "/v1/customers", body, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (500, 500)
    made = (await sandbox.http.get("/v1/customers")).json()["data"]
    assert len(made) == (1 if kind == "error_500_after" else 0)


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("lock_timeout", 429), ("conflict", 409)])
async def test_being_turned_away_leaves_the_key_free(sandbox: Sandbox, kind: str, status: int) -> None:
    await sandbox.control("calls", kind=kind, times=1)
    body = {"email": "a@example.test"}
    first = await post(sandbox, "/v1/customers", body, Idempotency_Key="k1")
    again = await post(sandbox, "/v1/customers", body, Idempotency_Key="k1")
    assert (first.status_code, again.status_code) == (status, 200)


async def test_the_sdk_gets_the_lost_answer_with_its_own_key(sandbox: Sandbox) -> None:
    """A timeout after the commit: the SDK's retry replays, nothing is made twice."""
    await sandbox.control("calls", kind="timeout_after", seconds=1.5)
    impatient = sdk(sandbox.settings.public_url, sandbox.judge, timeout=0.5, max_network_retries=3)
    made = await impatient.v1.customers.create_async({"email": "a@example.test"})
    await close(impatient)
    customers = await sandbox.v1.customers.list_async()
    assert [customer.id for customer in customers.data] == [made.id]


async def test_pages_follow_each_other_newest_first(sandbox: Sandbox) -> None:
    made = [(await sandbox.v1.customers.create_async({"email": f"{n}@example.test"})).id for n in range(5)]
    first = await sandbox.v1.customers.list_async({"limit": 2})
    assert ([c.id for c in first.data], first.has_more) == (made[:2:-1], True)
    everyone = [c.id async for c in first.auto_paging_iter()]
    assert everyone == made[::-1]
    before = await sandbox.v1.customers.list_async({"limit": 2, "ending_before": made[1]})
    assert [c.id for c in before.data] == [made[3], made[2]]
    found = await sandbox.v1.customers.list_async({"email": "3@example.test"})
    assert [c.id for c in found.data] == [made[3]]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.v1.customers.list_async({"starting_after": "cus_no"})
    assert refused.value.param == "starting_after"


async def test_lists_filter_on_creation(sandbox: Sandbox) -> None:
    old = await sandbox.v1.customers.create_async({"email": "old@example.test"})
    await sandbox.control("clock", days=1)
    new = await sandbox.v1.customers.create_async({"email": "new@example.test"})
    found = await sandbox.v1.customers.list_async({"created": {"gt": old.created}})
    assert [c.id for c in found.data] == [new.id]


async def test_expansion_goes_four_levels_and_no_further(sandbox: Sandbox) -> None:
    charge = await paid_charge(sandbox)
    await sandbox.control("clock", seconds=3)
    sessions = await sandbox.v1.checkout.sessions.list_async(
        {"expand": ["data.payment_intent.latest_charge.balance_transaction", "data.customer", "data.line_items"]}
    )
    session = sessions.data[0]
    assert session.payment_intent.latest_charge.id == charge.id
    assert session.payment_intent.latest_charge.balance_transaction.net == 100_00 - 175
    assert session.customer.email == "buyer@example.test"
    assert session.line_items.data[0].amount_total == 100_00
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.v1.charges.retrieve_async(charge.id, {"expand": ["amount"]})


async def test_metadata_merges_and_unsets(sandbox: Sandbox) -> None:
    made = await sandbox.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}})
    changed = await sandbox.v1.customers.update_async(made.id, {"metadata": {"a": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    cleared = await sandbox.v1.customers.update_async(made.id, {"metadata": ""})
    assert cleared.metadata.to_dict() == {}


async def test_another_accounts_objects_are_not_there(sandbox: Sandbox) -> None:
    account = await sandbox.v1.accounts.create_async({"country": "FR"})
    customer = await sandbox.v1.customers.create_async({"email": "a@example.test"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.v1.customers.retrieve_async(customer.id, options={"stripe_account": account.id})
    assert refused.value.code == "resource_missing"


async def test_state_survives_a_restart(sandbox: Sandbox) -> None:
    from exchange.sandbox.store import Books

    session = await new_session(sandbox)
    await sandbox.control("clock", days=0.5)
    books = Books(sandbox.settings)
    await books.open()
    async with books.reading() as world:
        assert (await world.known(session.id))["status"] == "open"
        assert world.offset > 43_000
    await books.close()


def test_the_key_is_a_test_key() -> None:
    assert KEY.startswith("sk_test_sbx")
