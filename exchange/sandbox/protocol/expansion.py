"""``expand[]``: ids replaced by what they point at."""

import copy
from collections.abc import Awaitable, Callable
from typing import Any

from exchange.sandbox.errors import malformed
from exchange.sandbox.shapes import Doc
from exchange.sandbox.store import World

_EXPANDABLE: dict[str, set[str]] = {
    "payment_intent": {"customer", "latest_charge", "payment_method"},
    "charge": {
        "customer", "payment_intent", "balance_transaction", "failure_balance_transaction", "transfer",
        "source_transfer", "refunds",
    },
    "checkout.session": {"customer", "payment_intent", "line_items"},
    "refund": {"charge", "payment_intent", "balance_transaction", "failure_balance_transaction"},
    "transfer": {"balance_transaction", "destination", "destination_payment", "source_transaction"},
    "transfer_reversal": {"balance_transaction", "destination_payment_refund", "source_refund", "transfer"},
    "balance_transaction": {"source"},
    "dispute": {"charge", "payment_intent"},
    "payout": {"balance_transaction", "failure_balance_transaction", "original_payout", "reversed_by"},
    "topup": {"balance_transaction"},
    "customer": {"cash_balance"},
    "payment_method": {"customer"},
    "price": {"product"},
    "product": {"default_price"},
}  # fmt: skip

Include = Callable[[World, Doc], Awaitable[Any]]

#: Fields that an object only has when asked for.
INCLUDES: dict[tuple[str, str], Include] = {}

#: Kinds whose stored form is not the one v1 shows.
SHOWN_V1: dict[str, Callable[[Doc], Doc]] = {}


async def expanded(world: World, doc: Doc, path: list[str], whole: str) -> None:
    name, rest = path[0], path[1:]
    if doc.get("object") == "list" and name == "data":
        for item in doc["data"]:
            if rest:
                await expanded(world, item, rest, whole)
        return
    kind = doc.get("object", "")
    if name not in _EXPANDABLE.get(kind, set()):
        if isinstance(doc.get(name), dict) and rest:
            await expanded(world, doc[name], rest, whole)
            return
        raise malformed(f"This property cannot be expanded ({whole}).", param="expand")
    if (kind, name) in INCLUDES and not isinstance(doc.get(name), dict):
        doc[name] = await INCLUDES[kind, name](world, doc)
    elif isinstance(doc.get(name), str):
        found = await world.find(doc[name])
        if found is not None:
            doc[name] = shown_v1(found)
    if rest and isinstance(doc.get(name), dict):
        await expanded(world, doc[name], rest, whole)


def shown_v1(doc: Doc) -> Doc:
    return copy.deepcopy(SHOWN_V1[doc["object"]](doc) if doc.get("object") in SHOWN_V1 else doc)
