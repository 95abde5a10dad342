"""Top-ups: the platform adds to its own balance."""

from exchange.sandbox.objects.balance import move
from exchange.sandbox.protocol.parameters import Amount, Currency, Listed, Metadata, Params
from exchange.sandbox.protocol.register import readable, route, updatable
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World


class TopupCreate(Params):
    amount: Amount
    currency: Currency
    description: str | None = None
    metadata: Metadata = {}
    source: str | None = None
    statement_descriptor: str | None = None
    transfer_group: str | None = None


class TopupUpdate(Params):
    description: str = ""
    metadata: Metadata = {}


class TopupList(Listed):
    status: str | None = None


@route("POST", "/v1/topups", TopupCreate, depth="simplified", note="the money is there at once")
async def create_topup(world: World, params: TopupCreate) -> Doc:
    id = new_id("tu")
    booked = await move(world, type="topup", amount=params.amount, currency=params.currency, source=id,
                        account=world.account, description=params.description)  # fmt: skip
    topup: Doc = {
        "id": id,
        "object": "topup",
        "amount": params.amount,
        "balance_transaction": booked["id"],
        "created": world.now,
        "currency": params.currency,
        "description": params.description,
        "expected_availability_date": world.now,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": params.metadata,
        "source": None,
        "statement_descriptor": params.statement_descriptor,
        "status": "succeeded",
        "transfer_group": params.transfer_group,
    }
    await world.add(topup)
    await world.emit("topup.created", topup)
    await world.emit("topup.succeeded", topup)
    return topup


readable("/v1/topups", "topup", TopupList)

updatable("/v1/topups", "topup", TopupUpdate)
