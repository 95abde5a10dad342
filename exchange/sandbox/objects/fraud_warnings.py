"""Early fraud warnings: the card network takes a charge for fraud. Made from the controls only."""

from exchange.sandbox.protocol.parameters import Listed
from exchange.sandbox.protocol.register import readable
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World


class WarningList(Listed):
    charge: str | None = None
    payment_intent: str | None = None


async def warn(world: World, charge: Doc) -> Doc:
    warning: Doc = {
        "id": new_id("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": not charge["refunded"] and not charge["disputed"],
        "charge": charge["id"],
        "created": world.now,
        "fraud_type": "misc",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
    await world.add(warning)
    await world.emit("radar.early_fraud_warning.created", warning)
    return warning


readable("/v1/radar/early_fraud_warnings", "radar.early_fraud_warning", WarningList)
