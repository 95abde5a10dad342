"""The undocumented calls by which Stripe's CLI pays a Checkout Session, as its own page would."""

from pydantic import Field

from exchange.sandbox.errors import Refusal
from exchange.sandbox.objects.checkout_sessions import pay
from exchange.sandbox.objects.payment_methods import method_of
from exchange.sandbox.protocol.parameters import Params, Retrieve
from exchange.sandbox.protocol.register import route
from exchange.sandbox.shapes import Doc
from exchange.sandbox.store import World


class PageConfirm(Params):
    payment_method: str
    expected_amount: int = Field(ge=0)


@route("GET", "/v1/payment_pages/{id}", Retrieve, depth="simplified", note="undocumented at Stripe: for its CLI only †")
async def retrieve_page(world: World, params: Params, id: str) -> Doc:
    return await world.get(id, "checkout.session")


@route(
    "POST", "/v1/payment_pages/{id}/confirm", PageConfirm, depth="simplified",
    note="undocumented at Stripe: for its CLI only †",
)  # fmt: skip
async def confirm_page(world: World, params: PageConfirm, id: str) -> Doc:
    session = await world.get(id, "checkout.session")
    if session["status"] != "open":
        raise Refusal(f"This Checkout Session is {session['status']}.", code="checkout_session_not_open")
    if params.expected_amount != session["amount_total"]:
        message = f"The page shows {params.expected_amount}, the session asks for {session['amount_total']}."
        raise Refusal(message, param="expected_amount")
    await pay(world, session, await method_of(world, params.payment_method))
    return session
