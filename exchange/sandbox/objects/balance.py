"""The balance: nothing but the sum of its balance transactions.

Nothing here keeps a running total. The balance of an account is the sum of its balance transactions, pending until the
virtual clock reaches ``available_on``, available from then on.
"""

from exchange.sandbox.errors import Refusal
from exchange.sandbox.protocol.parameters import Currency, Listed, Params, Retrieve
from exchange.sandbox.protocol.register import readable, route
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World, due

#: Fictional fees: basis points of the amount, plus minor units. Not Stripe's prices, which differ by contract.
FEES = {"card": (150, 25), "sepa_debit": (0, 35), "customer_balance": (50, 0)}

#: Fictional: days until the money of a payment is available.
AVAILABLE_AFTER_DAYS = {"card": 2, "sepa_debit": 2, "customer_balance": 1}

#: Fictional fee of a dispute, minor units; it is not given back after a win.
DISPUTE_FEE = 2_000

_CATEGORY = {
    "charge": "charge", "payment": "charge", "refund": "refund", "payment_refund": "refund",
    "refund_failure": "refund_failure", "transfer": "transfer", "transfer_refund": "transfer_reversal",
    "payout": "payout", "payout_cancel": "payout_reversal", "payout_failure": "payout_reversal", "topup": "topup",
}  # fmt: skip


#: Written with two decimals that are always zero (docs.stripe.com/currencies).
IN_HUNDREDTHS = {"isk", "ugx"}


def fee_of(method: str, amount: int, currency: str) -> int:
    """The fictional processing fee, minor units, rounded half up to what the currency has."""
    basis_points, fixed = FEES[method]
    fee = (amount * basis_points + 5_000) // 10_000 + fixed
    return (fee + 50) // 100 * 100 if currency in IN_HUNDREDTHS else fee


async def move(
    world: World,
    *,
    type: str,
    amount: int,
    currency: str,
    source: str,
    account: str | None,
    fee: int = 0,
    available_on: int | None = None,
    category: str | None = None,
    description: str | None = None,
) -> Doc:
    """Book one movement of ``amount`` (signed) less ``fee`` on ``account`` (None = the platform)."""
    fees = [{"amount": fee, "application": None, "currency": currency, "description": "Sandbox fee (fictional)",
             "type": "stripe_fee"}]  # fmt: skip
    doc: Doc = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": max(available_on or world.now, world.now),
        "balance_type": "payments",
        "created": world.now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fees if fee else [],
        "net": amount - fee,
        "reporting_category": category or _CATEGORY[type],
        "source": source,
        "status": "pending",
        "type": type,
    }
    await world.add(doc, account=account)
    if doc["net"] > 0:
        await world.later(doc["available_on"], "balance.available", doc["id"])
    return doc


@due("balance.available")
async def _funds_arrive(world: World, movement: str) -> None:
    """Stripe tells once a day; the sandbox once per movement that became available."""
    doc = await world.find(movement)
    if doc and doc["net"] > 0:
        world.account = doc["_account"]
        await world.emit("balance.available", await balance(world), account=doc["_account"])


async def funds(world: World, account: str | None) -> dict[str, tuple[int, int]]:
    """Available and pending minor units of ``account``, by currency: the sum of its balance transactions."""
    rows = await world.sql.fetch(
        "select doc->>'currency' as currency,"
        " coalesce(sum((doc->>'net')::bigint) filter (where (doc->>'available_on')::bigint <= $2), 0)::bigint as free,"
        " coalesce(sum((doc->>'net')::bigint) filter (where (doc->>'available_on')::bigint > $2), 0)::bigint as held"
        " from sandbox.object where kind = 'balance_transaction' and account is not distinct from $1 group by 1",
        account, world.now,
    )  # fmt: skip
    return {row["currency"]: (row["free"], row["held"]) for row in rows}


async def balance(world: World) -> Doc:
    """The balance object of the account in whose name the call came."""
    sums = await funds(world, world.account) or {"eur": (0, 0)}

    def amounts(place: int) -> list[Doc]:
        return [{"amount": both[place], "currency": currency, "source_types": {"card": both[place]}}
                for currency, both in sorted(sums.items())]  # fmt: skip

    return {"object": "balance", "available": amounts(0), "livemode": False, "pending": amounts(1)}


@route("GET", "/v1/balance", Retrieve, depth="simplified", note="all money counts as source type card")
async def retrieve_balance(world: World, params: Params) -> Doc:
    return await balance(world)


class BalanceTransactionList(Listed):
    currency: Currency | None = None
    payout: str | None = None
    source: str | None = None
    type: str | None = None


readable("/v1/balance_transactions", "balance_transaction", BalanceTransactionList)


def minor_units(amount: int, currency: str) -> str:
    return f"{amount} {currency} (minor units)"


def insufficient(needed: int, free: int, currency: str) -> Refusal:
    return Refusal(
        f"You have insufficient available funds in your Stripe account: {minor_units(needed, currency)} needed,"
        f" {minor_units(free, currency)} available.",
        code="balance_insufficient",
    )
