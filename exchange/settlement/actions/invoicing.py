"""What a company tells of itself for its invoices, and the mandate it gives to write them."""

from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute, fetch, transaction
from exchange.errors import N_, Conflict, NotSeen
from exchange.jobs import enqueue
from exchange.journal.actions import record
from exchange.settlement.queries.papers import invoicing_of
from exchange.settlement.rules.papers import MANDATE_VERSION, AddressMissing


class OtherVersion(Conflict):
    """The text read is not the one in force."""

    message = N_("The mandate's text has changed since you opened the page. Read it again before you accept it.")


async def tell_invoicing(
    *,
    street: str,
    postcode: str,
    city: str,
    delivery_street: str = "",
    delivery_postcode: str = "",
    delivery_city: str = "",
    franchise: bool = False,
    on_debits: bool = False,
    by: Actor,
) -> None:
    """An owner writes where the company is and which VAT options it took; papers that waited for it are written.

    Raises AddressMissing, NotSeen.
    """
    own = [" ".join(part.split()) for part in (street, postcode, city)]
    delivery = [" ".join(part.split()) for part in (delivery_street, delivery_postcode, delivery_city)]
    if not all(own):
        raise AddressMissing(field=("street", "postcode", "city")[own.index("")])
    if any(delivery) and not all(delivery):
        raise AddressMissing(field=("delivery_street", "delivery_postcode", "delivery_city")[delivery.index("")])
    if by.company_id is None:
        raise NotSeen
    parts = [
        part[:size] for part, size in zip([*own, *delivery], (120, 20, 80, 120, 20, 80), strict=True)
    ]  # as wide as the columns
    async with transaction():
        await execute(
            "insert into invoicing (company_id, street, postcode, city, delivery_street, delivery_postcode, "
            "delivery_city, franchise, on_debits, changed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
            "on conflict (company_id) do update set street = $2, postcode = $3, city = $4, delivery_street = $5, "
            "delivery_postcode = $6, delivery_city = $7, franchise = $8, on_debits = $9, changed_at = $10",
            by.company_id, *parts, franchise, on_debits, now(),
        )  # fmt: skip
        await record(by, "company.invoicing_told", by.company_id)
        await _look_again(by.company_id)


async def accept_mandate(*, version: str, language: str, by: Actor) -> None:
    """An owner gives the written mandate to invoice in its name. Raises OtherVersion, AddressMissing, NotSeen.

    Giving it twice is giving it once: the first day counts.
    """
    if by.company_id is None:
        raise NotSeen
    if version != MANDATE_VERSION:
        raise OtherVersion
    async with transaction():
        if (await invoicing_of(by.company_id)).address is None:
            raise AddressMissing(field="street")
        await execute(
            "insert into invoice_mandate (id, company_id, version, language, person_id, accepted_at) "
            "values ($1, $2, $3, $4, $5, $6) on conflict (company_id, version) do nothing",
            uuid4(), by.company_id, version, language, by.person_id, now(),
        )  # fmt: skip
        await record(by, "company.mandate_given", by.company_id, version=version)
        await _look_again(by.company_id)


async def _look_again(company_id: UUID) -> None:
    """Papers that waited are tried again."""
    for row in await fetch(
        "select w.deal_id from paper_due w join deal d on d.id = w.deal_id "
        "where $1 in (d.seller_company_id, d.buyer_company_id)",
        company_id,
    ):
        await enqueue("deal.papers", row["deal_id"])
