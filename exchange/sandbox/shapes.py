"""Ids, and objects as the wire shows them: private keys dropped, fields newer than the asked version left out."""

import secrets
import string
from datetime import UTC, datetime
from typing import Any

from exchange.sandbox.config import PINNED_VERSION

#: An object of Stripe's protocol. Keys beginning with ``_`` are the sandbox's own memory and never leave it.
Doc = dict[str, Any]

_LETTERS = string.ascii_letters + string.digits

DAY = 86_400
"""Seconds."""

#: Response fields that endive has and dahlia has not (from the overlay noted in the schema files).
_SINCE_ENDIVE: dict[str, set[str]] = {
    "checkout.session": {"allowed_payment_method_types"},
    "payment_intent": {"allowed_payment_method_types", "payment_record"},
    "charge": {"authorization_code"},
    "refund": {"customer", "customer_account", "payment_method"},
    "dispute": {"intended_submission_method", "network_reason_code"},
}


def new_id(prefix: str) -> str:
    """A fresh id that nobody can take for a real one: ``pi`` gives ``pi_sbx…``."""
    return f"{prefix}_sbx{''.join(secrets.choice(_LETTERS) for _ in range(21))}"


def iso(seconds: int) -> str:
    """The v2 spelling of an instant."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def rendered(value: Any, *, now: int, version: str = PINNED_VERSION) -> Any:
    """``value`` as a client of ``version`` sees it at virtual time ``now`` (seconds)."""
    if isinstance(value, list):
        return [rendered(item, now=now, version=version) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value["object"] if isinstance(value.get("object"), str) else ""  # an event's data holds one under this name
    hidden = _SINCE_ENDIVE.get(kind, set()) if version < PINNED_VERSION else set()
    shown = {
        name: item if name == "metadata" else rendered(item, now=now, version=version)
        for name, item in value.items()
        if not name.startswith("_") and name not in hidden
    }
    if kind == "balance_transaction":
        shown["status"] = "available" if value["available_on"] <= now else "pending"
    return shown
