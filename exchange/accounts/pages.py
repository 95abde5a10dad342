"""The doors of people: sign-in, links from mails, the account page, the demo's outbox."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from exchange.accounts import queries
from exchange.accounts.actions import people, sessions, tokens
from exchange.accounts.rules import SESSION_LIFE, LinkPurpose, LinkSpent
from exchange.errors import N_, DomainError, NotSeen
from exchange.settings import settings
from exchange.web.formats import zone_choices
from exchange.web.guards import signed_in, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, local_path, render, see_other
from exchange.web.sign_in import session_cookie

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/sign-in")
async def sign_in_form(request: Web, next: FromQuery[str] = "/") -> Response[str]:
    """The door."""
    if request.user is not None:
        return see_other(request, local_path(next))
    return render(request, "accounts/sign_in.html", next=local_path(next))


@post("/sign-in")
async def sign_in(request: Web, data: Form) -> Response[str]:
    """Come in, with a fresh session whatever cookie came along; the account's language takes over from the device's."""
    onward = local_path(data.get("next", "/"))
    try:
        secret = await sessions.sign_in(
            email=data.get("email", ""),
            password=data.get("password", ""),
            address=address_of(request),
            agent=request.headers.get("user-agent", ""),
        )
    except DomainError as refusal:
        return again(request, "accounts/sign_in.html", refusal, data, next=onward)
    response = see_other(request, onward)
    response.set_cookie(
        Cookie(
            key=session_cookie(),
            value=secret,
            path="/",
            max_age=int(SESSION_LIFE.total_seconds()),
            httponly=True,
            secure=settings().is_secure,
            samesite="lax",
        )
    )
    response.delete_cookie("language")
    return response


@post("/sign-out")
async def sign_out(request: Web) -> Response[str]:
    """Leave this browser."""
    if request.user is not None and request.user.session_id is not None:
        await sessions.sign_out(by=request.user.actor, session_id=request.user.session_id)
    response = see_other(request, "/", flash=N_("You are signed out."))
    response.delete_cookie(session_cookie(), path="/")
    return response


@get("/confirm/{secret:str}")
async def confirm_form(request: Web, secret: FromPath[str]) -> Response[str]:
    """Only asks: programs that look into mails follow links, but press no buttons."""
    person = await queries.person_of_link(secret, LinkPurpose.CONFIRM)
    return render(request, "accounts/confirm.html", secret=secret, person=person, status=200 if person else 409)


@post("/confirm/{secret:str}")
async def confirm(request: Web, secret: FromPath[str]) -> Response[str]:
    """The address is theirs."""
    try:
        await people.confirm_email(secret=secret)
    except LinkSpent as refusal:
        return again(request, "accounts/confirm.html", refusal, {}, secret=secret, person=None)
    return see_other(request, "/sign-in", flash=N_("Your address is confirmed. Sign in now."))


@get("/forgotten")
async def forgotten_form(request: Web) -> Response[str]:
    """Asks for the address."""
    return render(request, "accounts/forgotten.html", asked="")


@post("/forgotten")
async def forgotten(request: Web, data: Form) -> Response[str]:
    """The same answer whoever asks."""
    try:
        await people.ask_for_reset(email=data.get("email", ""), address=address_of(request))
    except DomainError as refusal:
        return again(request, "accounts/forgotten.html", refusal, data, asked="")
    return render(request, "accounts/forgotten.html", asked=data.get("email", "").strip())


@get("/reset/{secret:str}")
async def reset_form(request: Web, secret: FromPath[str]) -> Response[str]:
    """Asks for the new password."""
    person = await queries.person_of_link(secret, LinkPurpose.RESET)
    return render(request, "accounts/reset.html", secret=secret, person=person, status=200 if person else 409)


@post("/reset/{secret:str}")
async def reset(request: Web, secret: FromPath[str], data: Form) -> Response[str]:
    """The new password holds from now on."""
    try:
        await people.reset_password(secret=secret, password=data.get("password", ""))
    except DomainError as refusal:
        person = await queries.person_of_link(secret, LinkPurpose.RESET)
        return again(request, "accounts/reset.html", refusal, {}, secret=secret, person=person)
    return see_other(request, "/sign-in", flash=N_("Your new password holds. Sign in with it."))


@get("/account", guards=[signed_in])
async def account(request: Web) -> Response[str]:
    """Everything about oneself on one page."""
    return render(request, ACCOUNT, **await _account(request))


@post("/account", guards=[signed_in])
async def set_preferences(request: Web, data: Form) -> Response[str]:
    """Name, language, time zone."""
    try:
        await people.set_preferences(
            by=viewer_of(request).actor,
            name=data.get("name", ""),
            language=data.get("language", ""),
            zone=data.get("zone", ""),
        )
    except DomainError as refusal:
        return again(request, ACCOUNT, refusal, data, **await _account(request))
    response = see_other(request, "/account", flash=N_("Saved."))
    response.delete_cookie("language")
    return response


@post("/account/password", guards=[signed_in])
async def change_password(request: Web, data: Form) -> Response[str]:
    """A new password; the other devices are signed out."""
    me = viewer_of(request)
    try:
        await people.change_password(
            by=me.actor,
            present=data.get("present", ""),
            password=data.get("password", ""),
            session_id=me.session_id,
        )
    except DomainError as refusal:
        return again(request, ACCOUNT, refusal, {}, **await _account(request))
    return see_other(request, "/account", flash=N_("Your new password holds. Other devices were signed out."))


@post("/account/sessions/{session_id:uuid}/revocation", guards=[signed_in])
async def revoke_session(request: Web, session_id: FromPath[UUID]) -> Response[str]:
    """End one device's session."""
    await sessions.revoke_session(by=viewer_of(request).actor, session_id=session_id)
    return see_other(request, "/account", flash=N_("That device is signed out."))


@post("/account/sessions/others/revocation", guards=[signed_in])
async def revoke_others(request: Web) -> Response[str]:
    """End every session but this one."""
    me = viewer_of(request)
    await sessions.revoke_other_sessions(by=me.actor, keep=me.session_id)
    return see_other(request, "/account", flash=N_("Every other device is signed out."))


@post("/account/tokens", guards=[signed_in])
async def issue_token(request: Web, data: Form) -> Response[str]:
    """A new API token: shown in this answer and never again."""
    try:
        secret = await tokens.issue_token(by=viewer_of(request).actor, label=data.get("label", ""))
    except DomainError as refusal:
        return again(request, ACCOUNT, refusal, data, **await _account(request))
    return render(request, ACCOUNT, **(await _account(request) | {"new_token": secret}))


@post("/account/tokens/{token_id:uuid}/revocation", guards=[signed_in])
async def revoke_token(request: Web, token_id: FromPath[UUID]) -> Response[str]:
    """End a token."""
    await tokens.revoke_token(by=viewer_of(request).actor, token_id=token_id)
    return see_other(request, "/account", flash=N_("That token no longer works."))


@get("/outbox")
async def outbox(request: Web, before: FromQuery[UUID | None] = None) -> Response[str]:
    """Every mail the demo wrote. Anywhere else there is no such page: it would show everybody's links."""
    if not settings().is_demo:
        raise NotSeen
    mails = await queries.outbox(before=before, limit=PAGE + 1)
    return render(
        request,
        "accounts/outbox.html",
        mails=mails[:PAGE],
        last=mails[PAGE - 1].id if len(mails) > PAGE else None,
        first=before is None,
    )


ACCOUNT = "accounts/account.html"
PAGE = 30


def address_of(request: Web) -> str:
    """Where the request comes from, as far as the server was told."""
    return request.client.host if request.client else ""


async def _account(request: Web) -> dict[str, Any]:
    me = viewer_of(request)
    return {
        "me": (account := await queries.account_of(me.actor)),
        "sessions": await queries.sessions_of(me.actor),
        "tokens": await queries.tokens_of(me.actor),
        "this_session": me.session_id,
        "new_token": None,
        "zones": zone_choices(language_of(request), account.zone),
    }


router = Router(
    "/",
    route_handlers=[
        sign_in_form,
        sign_in,
        sign_out,
        confirm_form,
        confirm,
        forgotten_form,
        forgotten,
        reset_form,
        reset,
        account,
        set_preferences,
        change_password,
        revoke_session,
        revoke_others,
        issue_token,
        revoke_token,
        outbox,
    ],
)
