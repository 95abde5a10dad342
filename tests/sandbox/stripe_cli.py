"""Stripe's own command line as an independent client: what each trigger must leave behind in the sandbox.

``STRIPE_CLI=…/stripe python -m tests.sandbox.stripe_cli`` starts a sandbox and prints each trigger, pass or not, its
events.
The binary comes with npm's ``@stripe/cli`` (1.52 was tried), for Linux in ``@stripe/cli-linux-x64/bin``.

Its exit codes prove nothing: every trigger ends with 0 on nonsense answers too. So each row names events that the
sandbox must have written, and what the object of the last of them must look like when asked for afterwards. The CLI
sends no idempotency key, and still ``payment_method_types``: hence the older version.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.sandbox.conftest import Sandbox, renewed
from tests.sandbox.kept import KEY, kept

VERSION = "2026-08-26.dahlia"

PATHS = {
    "payment_intent": "payment_intents", "charge": "charges", "refund": "refunds", "dispute": "disputes",
    "checkout.session": "checkout/sessions", "transfer": "transfers", "payout": "payouts", "topup": "topups",
    "customer": "customers", "account": "accounts",
}  # fmt: skip


@dataclass(frozen=True)
class Trigger:
    """One trigger: the ``events`` beside its own, and the ``state`` its object is in after ``days`` of waiting.

    ``funded``: the platform's own balance is topped up before, since the CLI's transfers and payouts name no charge.
    """

    name: str
    events: tuple[str, ...]
    state: Mapping[str, object]
    days: int = 0
    funded: bool = False


def _paid(name: str, state: Mapping[str, object], *events: str, **more: Any) -> Trigger:
    return Trigger(name, ("payment_intent.created", "charge.succeeded", *events), state, **more)


SHOP = ("product.created", "price.created")
DEBIT = (*SHOP, "payment_intent.processing", "checkout.session.completed")

MATRIX = (
    Trigger("payment_intent.created", (), {"status": "requires_payment_method", "amount": 2000}),
    _paid("payment_intent.succeeded", {"status": "succeeded", "amount_received": 2000}),
    Trigger("payment_intent.payment_failed", ("charge.failed",),
            {"status": "requires_payment_method", "last_payment_error.code": "card_declined"}),
    Trigger("payment_intent.canceled", ("payment_intent.created",), {"status": "canceled"}),
    _paid("payment_intent.amount_capturable_updated", {"status": "requires_capture", "amount_capturable": 2000}),
    Trigger("payment_intent.requires_action", (), {"status": "requires_action", "next_action.type": "redirect_to_url"}),
    Trigger("payment_intent.processing", ("charge.pending",), {"status": "processing"}),
    Trigger("payment_intent.partially_funded", ("customer_cash_balance_transaction.created",),
            {"status": "requires_action", "currency": "jpy",
             "next_action.display_bank_transfer_instructions.amount_remaining": 10000}),
    _paid("charge.succeeded", {"status": "succeeded", "paid": True}),
    Trigger("charge.failed", ("payment_intent.payment_failed",), {"status": "failed", "paid": False}),
    _paid("charge.captured", {"captured": True, "paid": True}, "payment_intent.amount_capturable_updated"),
    _paid("charge.refunded", {"refunded": True}, "refund.created"),
    _paid("charge.refund.updated", {"status": "succeeded"}, "refund.updated"),
    _paid("charge.dispute.created", {"status": "warning_needs_response", "balance_transactions": []}),
    _paid("charge.dispute.updated", {"status": "warning_needs_response"}, "charge.dispute.created"),
    _paid("charge.dispute.closed", {"status": "warning_closed"}, "charge.dispute.created"),
    _paid("balance.available", {}, "charge.updated"),
    Trigger("customer.created", (), {"livemode": False}),
    Trigger("cash_balance.funds_available", ("customer.created",), {}),
    Trigger("customer_cash_balance_transaction.created", ("customer.created",), {}),
    Trigger("checkout.session.completed", (*SHOP, "charge.succeeded"),
            {"status": "complete", "payment_status": "paid"}),
    Trigger("checkout.session.expired", SHOP, {"status": "expired", "url": None}),
    Trigger("checkout.session.async_payment_succeeded", DEBIT, {"payment_status": "paid"}, days=5),
    Trigger("checkout.session.async_payment_failed", DEBIT, {"payment_status": "unpaid"}, days=5),
    Trigger("transfer.created", (), {"amount_reversed": 0}, funded=True),
    Trigger("transfer.updated", ("transfer.created",), {"reversed": False}, funded=True),
    Trigger("transfer.reversed", ("transfer.created",), {"amount_reversed": 100, "reversed": False}, funded=True),
    Trigger("payout.created", (), {"status": "pending"}, funded=True),
    Trigger("payout.updated", ("payout.created",), {"status": "pending"}, funded=True),
    Trigger("topup.created", ("topup.succeeded",), {"status": "succeeded"}),
    Trigger("account.updated", (), {"object": "account"}),
    Trigger("account.application.deauthorized", (), {"deleted": True}),
)  # fmt: skip


def found() -> str | None:
    """The CLI: ``STRIPE_CLI``, or ``stripe`` on the PATH."""
    return os.environ.get("STRIPE_CLI") or shutil.which("stripe")


@dataclass
class Result:
    """What a trigger left behind; ``faults`` is empty when it is all as it must be."""

    trigger: Trigger
    events: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


async def pull(cli: str, home: Path, sandbox: Sandbox, trigger: Trigger) -> Result:
    """Run one trigger against ``sandbox`` and look at what came of it."""
    if trigger.funded:
        await sandbox.http.post("/v1/topups", data={"amount": "1000000", "currency": "usd"})
    before = len(sandbox.hooks.got)
    told = await _run(cli, home, sandbox.settings.public_url, trigger.name)
    if trigger.days:
        await sandbox.control("clock", days=trigger.days)
    result = Result(trigger)
    wanted = {trigger.name, *trigger.events}

    def arrived() -> list[dict[str, Any]]:
        return [json.loads(received.body) for received in sandbox.hooks.got[before:]]

    try:
        await sandbox.hooks.until(lambda _: wanted <= {event["type"] for event in arrived()})
    except TimeoutError:
        missing = sorted(wanted - {event["type"] for event in arrived()})
        result.faults.append(f"never told: {', '.join(missing)}. The CLI said: {told[-400:]}")
    result.events = [event["type"] for event in arrived()]
    event = next((e for e in reversed(arrived()) if e["type"] == trigger.name), None)
    if event:
        seen = await _state_of(sandbox, event)
        result.faults += [
            f"{path} is {_at(seen, path)!r}, not {value!r}"
            for path, value in trigger.state.items()
            if _at(seen, path) != value
        ]
    return result


async def _run(cli: str, home: Path, url: str, trigger: str) -> str:
    process = await asyncio.create_subprocess_exec(
        cli, "trigger", trigger, "--api-base", url, "--api-key", KEY, "--api-version", VERSION,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "STRIPE_CLI_TELEMETRY_OPTOUT": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await process.communicate()
    return told.decode(errors="replace")


async def _state_of(sandbox: Sandbox, event: dict[str, Any]) -> dict[str, Any]:
    """The object of ``event`` as the sandbox shows it now; what has no address of its own, as the event showed it."""
    shown: dict[str, Any] = event["data"]["object"]
    kind, id = shown["object"], shown.get("id")
    if kind == "application":
        kind, id = "account", event["account"]
    if kind not in PATHS:
        return shown
    answer = await sandbox.http.get(f"/v1/{PATHS[kind]}/{id}")
    now: dict[str, Any] = answer.json()
    return now


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


async def show(cli: str, database_url: str, home: Path) -> int:
    """Run the whole matrix and print it; the number of triggers that failed."""
    failed = 0
    async with kept(database_url) as started, renewed(started) as sandbox:
        for trigger in MATRIX:
            result = await pull(cli, home, sandbox, trigger)
            failed += bool(result.faults)
            print(f"{trigger.name:46}{'FAILED' if result.faults else 'pass':8}{', '.join(result.events)}")
            for fault in result.faults:
                print(f"{'':46}{fault}")
    print(f"{len(MATRIX) - failed} of {len(MATRIX)} triggers pass")
    return failed


def main() -> None:
    from exchange.embedded import EmbeddedServer

    cli = found()
    if cli is None:
        sys.exit("No Stripe CLI: set STRIPE_CLI or put `stripe` on the PATH (npm package @stripe/cli).")
    with tempfile.TemporaryDirectory(prefix="confrere-cli-") as folder:
        server = EmbeddedServer(Path(folder) / "pg", options=["fsync=off"])
        server.start()
        try:
            sys.exit(1 if asyncio.run(show(cli, server.url, Path(folder))) else 0)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
