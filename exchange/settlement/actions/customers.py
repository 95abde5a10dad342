"""A buyer as the payment service knows it: made known at its first payment."""

from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.database import execute, fetchrow, fetchval, transaction
from exchange.settlement.actions import operations
from exchange.settlement.actions.operations import Doing, Operation
from exchange.settlement.rules.payments import Kind
from exchange.settlement.stripe_gateway import Gateway, Refused, customer_params, gateway


async def customer_of(company_id: UUID, by: Actor) -> str | None:
    """The company as Stripe knows it, made known now if it is not; None while Stripe has not answered."""
    row = await fetchrow("select id, customer_id from payment_customer where company_id = $1", company_id)
    if row is None or row["customer_id"] is None:
        async with transaction(alone=True):
            email = await fetchval("select email::text from person where id = $1", by.person_id)
            await fetchval("select id from company where id = $1 for no key update", company_id)
            row = await fetchrow("select id, customer_id from payment_customer where company_id = $1", company_id)
            if row is None:
                customer = uuid4()
                await execute(
                    "insert into payment_customer (id, company_id, livemode) values ($1, $2, $3)",
                    customer,
                    company_id,
                    gateway().livemode,
                )
                await operations.plan(Kind.CUSTOMER, customer, customer_params(email=email))
            else:
                customer = row["id"]
        making = await fetchval(
            "select id from stripe_operation where subject_id = $1 order by planned_at desc limit 1", customer
        )
        await operations.drive(making)
        row = await fetchrow("select id, customer_id from payment_customer where company_id = $1", company_id)
    return str(row["customer_id"]) if row and row["customer_id"] else None


async def _no_trace(gateway: Gateway, operation: Operation) -> None:
    """A second customer does no harm: it is simply asked for again."""
    return


async def _create_customer(gateway: Gateway, operation: Operation) -> str:
    return await gateway.create_customer(operation.id, operation.request)


async def _customer_made(operation: Operation, made: str) -> None:
    await execute("update payment_customer set customer_id = $2 where id = $1", operation.subject_id, made)


async def _customer_refused(operation: Operation, refusal: Refused) -> None:
    await execute("delete from payment_customer where id = $1", operation.subject_id)


operations.done_by(Kind.CUSTOMER, Doing(_create_customer, _no_trace, _customer_made, _customer_refused))
