"""What is known of a buyer's direct debits: how much of them can still be given back, and whether one ever held."""

from datetime import datetime
from uuid import UUID

from exchange.clock import now
from exchange.database import fetchval
from exchange.money import Money
from exchange.settings import settings
from exchange.settlement.queries.deals import Deal
from exchange.settlement.rules.methods import GIVEN_BACK_WITHIN, SEPA_CURRENCY, Limits, Ways, ways
from exchange.settlement.rules.payments import DISPUTE_WON


def limits() -> Limits:
    """As the settings have them."""
    own = settings()
    return Limits(own.card_most, own.sepa_most, own.sepa_exposure)


async def ways_of(deal: Deal) -> Ways:
    """How the deal can be paid by its buyer; the caller has loaded the deal by viewer."""
    return ways(deal.terms.total, limits(), debited=await _debited(deal.buyer_company_id))


async def _debited(company_id: UUID) -> Money:
    """What the company paid by direct debit, or is being debited, and its bank can still give back."""
    minor = await fetchval(
        "select coalesce(sum(case when p.state = 'paid' then p.received_minor else o.amount_minor end), 0)::bigint "
        "from payment p join payment_obligation o on o.id = p.obligation_id "
        "where o.buyer_company_id = $1 and o.currency = $2 and p.created_at > $3 "
        "and (p.state = 'paid' and p.method = 'sepa_debit' or p.state = 'processing' and p.instructions_url is null)",
        company_id,
        SEPA_CURRENCY,
        now() - GIVEN_BACK_WITHIN,
    )
    return Money(minor, SEPA_CURRENCY)


async def known_debtor(company_id: UUID, at: datetime) -> bool:
    """Whether a direct debit of the company has held: older than its bank gives back, and not lost in a dispute."""
    return bool(
        await fetchval(
            "select exists (select from payment p join deal d on d.id = p.deal_id where d.buyer_company_id = $1 "
            "and p.method = 'sepa_debit' and p.state = 'paid' and d.paid_at <= $2 and not exists "
            "(select from dispute x where x.payment_id = p.id and x.status <> all($3)))",
            company_id,
            at - GIVEN_BACK_WITHIN,
            list(DISPUTE_WON),
        )
    )
