"""What an agreement leaves behind: the contract, and what is written since."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.errors import N_, DomainError
from exchange.listings.pages.stock_lists import half_days
from exchange.listings.rules.categories import BY_SLUG
from exchange.listings.rules.lots import INCOTERMS
from exchange.offers import actions
from exchange.offers.pages.reading import Form, text_in
from exchange.offers.pages.shown import refused
from exchange.offers.queries.agreed import contract_seen_by
from exchange.web.guards import viewer_of
from exchange.web.render import Web, language_of, render, see_other

CONTRACT = "offers/contract.html"


@get("/talks/{talk_id:uuid}/contract")
async def contract(request: Web, talk_id: FromPath[UUID]) -> Response[str]:
    """What was agreed, frozen; made to be printed."""
    agreed = await contract_seen_by(viewer_of(request).actor, talk_id)
    category = BY_SLUG.get(agreed.lot["category"])
    return render(
        request,
        CONTRACT,
        contract=agreed,
        category=category.name if category else agreed.lot["category"],
        slot_names=dict(half_days(language_of(request))),
        delivery=INCOTERMS[agreed.incoterm],
    )


@post("/talks/{talk_id:uuid}/messages")
async def write_message(request: Web, talk_id: FromPath[UUID], data: Form) -> Response[str]:
    """A word to the other side of an agreement."""
    try:
        text = text_in(data, "message")
        await actions.write_message(negotiation_id=talk_id, text=text, by=viewer_of(request).actor)
    except DomainError as refusal:
        refusal.field = refusal.field and "message"
        return await refused(request, talk_id, refusal, data)
    return see_other(request, f"/talks/{talk_id}#messages", flash=N_("Your message is sent."))
