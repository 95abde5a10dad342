"""Onboarding: a seller shows who it is, or not."""

from litestar import Response, get, post
from litestar.params import FromPath

from exchange.sandbox.objects import account_links
from exchange.sandbox.pages.rendering import Asked, books_of, form_of, go, nothing, show


@get("/c/onboarding/{id:str}")
async def onboarding_page(request: Asked, id: FromPath[str]) -> Response[str]:
    """A link opens once; opened again, or late, it sends back to ``refresh_url`` for a fresh one."""
    async with books_of(request).writing() as world:
        link = await world.find(id)
        if link is None or link["object"] != "account_link":
            return nothing(request)
        if link["_used"] or link["expires_at"] < world.now:
            return go(link["_refresh_url"])
        await world.save(link | {"_used": True})
    return show(request, "onboarding.html", link=link)


@post("/c/onboarding/{id:str}", status_code=200)
async def onboard(request: Asked, id: FromPath[str]) -> Response[str]:
    outcome = (await form_of(request)).get("outcome", "leave")
    async with books_of(request).writing() as world:
        link = await world.find(id)
        if link is None or link["object"] != "account_link":
            return nothing(request)
        if link.get("_done") or not link["_used"]:
            return go(link["_refresh_url"])
        if outcome in {"complete", "incomplete", "restricted_later"}:
            await account_links.finish_onboarding(world, link, outcome)
    return go(link["_return_url"])


doors = [onboarding_page, onboard]
