"""The doors of businesses: joining, facts and hours, whom a company hides from, its team; the operator's desk."""

from datetime import time
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery

from exchange.accounts.pages import address_of
from exchange.accounts.rules import LinkSpent
from exchange.clock import now
from exchange.companies import queries
from exchange.companies.actions import facts, members, rivals, vetting, wishes
from exchange.companies.actions.sign_up import sign_up as sign_a_company_up
from exchange.companies.pages.mail import days_in
from exchange.companies.rules import HoursOutOfOrder, NoWorkingDay, Vetting, countries, is_open, next_opening
from exchange.errors import N_, DomainError, NotSeen
from exchange.web.formats import locale_of, sortable, zone_choices
from exchange.web.guards import member, operator, owner, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

# --- joining ---


@get("/sign-up")
async def sign_up_form(request: Web) -> Response[str]:
    """One form: the company and its first person."""
    if request.user is not None:
        return see_other(request, "/")
    return render(request, SIGN_UP, **_places(request))


@post("/sign-up")
async def sign_up(request: Web, data: Form) -> Response[str]:
    """The same answer whether or not the address or the register number is known."""
    typed = {name: data.get(name, "") for name in _SIGN_UP_FIELDS}
    try:
        await sign_a_company_up(**typed, language=language_of(request), address=address_of(request))
    except DomainError as refusal:
        return again(request, SIGN_UP, refusal, data, **_places(request))
    return render(request, "companies/check_mail.html", email=typed["email"].strip())


@get("/invitation/{secret:str}")
async def invitation_form(request: Web, secret: FromPath[str]) -> Response[str]:
    """A seat to take."""
    offered = await queries.invitation_of(secret)
    return render(
        request, INVITATION, status=200 if offered else 409, secret=secret, offered=offered, **_places(request)
    )


@post("/invitation/{secret:str}")
async def accept_invitation(request: Web, secret: FromPath[str], data: Form) -> Response[str]:
    """The seat is taken."""
    try:
        await members.accept_invitation(
            secret=secret,
            name=data.get("name", ""),
            password=data.get("password", ""),
            language=language_of(request),
            zone=data.get("zone", ""),
        )
    except DomainError as refusal:
        offered = None if isinstance(refusal, LinkSpent) else await queries.invitation_of(secret)
        return again(request, INVITATION, refusal, data, secret=secret, offered=offered, **_places(request))
    return see_other(request, "/sign-in", flash=N_("Welcome. Sign in with your address and your new password."))


# --- one's own company ---


@get("/company", guards=[member])
async def company(request: Web) -> Response[str]:
    """Facts, hours, and for owners whom the company hides from."""
    return render(request, COMPANY, **await _company(request))


@post("/company/hours", guards=[owner])
async def set_hours(request: Web) -> Response[str]:
    """When the company works."""
    form = await request.form()
    typed = {name: str(form.get(name, "")) for name in ("zone", "opens", "closes")}
    days = [str(day) for day in form.getall("days", [])]
    try:
        await facts.set_working_hours(
            by=viewer_of(request).actor,
            zone=typed["zone"],
            opens=_time(typed["opens"]),
            closes=_time(typed["closes"]),
            days=_days(days),
        )
    except DomainError as refusal:
        return again(request, COMPANY, refusal, typed | {"days": days}, **await _company(request))
    return see_other(request, "/company", flash=N_("Your working hours are saved."))


@post("/company/closing", guards=[owner])
async def set_closing(request: Web, data: Form) -> Response[str]:
    """The company's own holidays."""
    try:
        first, last = days_in(data)
        await wishes.set_closed(by=viewer_of(request).actor, first=first, last=last)
    except DomainError as refusal:
        return again(request, COMPANY, refusal, data, **await _company(request))
    return see_other(request, "/company", flash=N_("Saved."))


@post("/company/shop", guards=[owner])
async def set_shop(request: Web, data: Form) -> Response[str]:
    """Trading name and region."""
    try:
        await facts.set_shop(
            by=viewer_of(request).actor, trading_name=data.get("trading_name", ""), region=data.get("region", "")
        )
    except DomainError as refusal:
        return again(request, COMPANY, refusal, data, **await _company(request))
    return see_other(request, "/company", flash=N_("Saved."))


@post("/company/facts", guards=[owner])
async def correct_facts(request: Web, data: Form) -> Response[str]:
    """What stands in the register, as long as it is not vetted."""
    try:
        await facts.correct_facts(
            by=viewer_of(request).actor,
            legal_name=data.get("legal_name", ""),
            registration=data.get("registration", ""),
            vat=data.get("vat", ""),
        )
    except DomainError as refusal:
        return again(request, COMPANY, refusal, data, **await _company(request))
    return see_other(request, "/company", flash=N_("Saved. We check the facts again and write to you."))


@post("/company/rivals", guards=[owner])
async def hide_from(request: Web, data: Form) -> Response[str]:
    """The answer is the same for members and strangers."""
    try:
        await rivals.hide_from(
            by=viewer_of(request).actor, rival=data.get("rival", ""), country=data.get("country", "")
        )
    except DomainError as refusal:
        return again(request, COMPANY, refusal, data, **await _company(request))
    noted = N_("Noted. If they are a member, or become one, they see nothing of you.")
    return see_other(request, "/company#hidden", flash=noted)


@post("/company/rivals/{rival_id:uuid}/removal", guards=[owner])
async def show_again(request: Web, rival_id: FromPath[UUID]) -> Response[str]:
    """Off the list."""
    await rivals.show_again(by=viewer_of(request).actor, rival_id=rival_id)
    return see_other(request, "/company#hidden", flash=N_("Taken off the list."))


# --- the team ---


@get("/team", guards=[owner])
async def team(request: Web) -> Response[str]:
    """Everybody who acts for the company."""
    return render(request, TEAM, **await _team(request))


@post("/team/invitations", guards=[owner])
async def invite(request: Web, data: Form) -> Response[str]:
    """Offer a seat."""
    try:
        await members.invite(
            by=viewer_of(request).actor,
            email=data.get("email", ""),
            name=data.get("name", ""),
            role=data.get("role", ""),
        )
    except DomainError as refusal:
        return again(request, TEAM, refusal, data, **await _team(request))
    return see_other(request, "/team", flash=N_("The invitation is on its way."))


@post("/team/invitations/{invitation_id:uuid}/withdrawal", guards=[owner])
async def withdraw_invitation(request: Web, invitation_id: FromPath[UUID]) -> Response[str]:
    """Take the seat back."""
    await members.withdraw_invitation(by=viewer_of(request).actor, invitation_id=invitation_id)
    return see_other(request, "/team", flash=N_("The invitation no longer works."))


@post("/team/{person_id:uuid}/role", guards=[owner])
async def change_role(request: Web, person_id: FromPath[UUID], data: Form) -> Response[str]:
    """Owner or trader."""
    try:
        await members.change_role(by=viewer_of(request).actor, person_id=person_id, role=data.get("role", ""))
    except members.LastOwner as refusal:
        return again(request, TEAM, refusal, {}, **await _team(request))
    return see_other(request, "/team", flash=N_("Saved."))


@post("/team/{person_id:uuid}/removal", guards=[owner])
async def remove_colleague(request: Web, person_id: FromPath[UUID]) -> Response[str]:
    """The colleague leaves."""
    try:
        await members.remove_colleague(by=viewer_of(request).actor, person_id=person_id)
    except members.LastOwner as refusal:
        return again(request, TEAM, refusal, {}, **await _team(request))
    return see_other(request, "/team", flash=N_("They can no longer sign in."))


# --- the operator ---


@get("/operator", guards=[operator])
async def desk(
    request: Web, standing: FromQuery[Vetting] = Vetting.AWAITING, after: FromQuery[UUID | None] = None
) -> Response[str]:
    """Companies to be vetted, oldest first."""
    found = await queries.applicants(state=standing, after=after, limit=PAGE + 1)
    return render(
        request,
        "operator/companies.html",
        state=standing,
        applicants=found[:PAGE],
        last=found[PAGE - 1].id if len(found) > PAGE else None,
        first=after is None,
    )


@get("/operator/companies/{company_id:uuid}", guards=[operator])
async def applicant(request: Web, company_id: FromPath[UUID]) -> Response[str]:
    """One company with everything the decision needs."""
    return render(request, APPLICANT, **await _applicant(company_id, request))


@post("/operator/companies/{company_id:uuid}/vetting", guards=[operator])
async def vet(request: Web, company_id: FromPath[UUID]) -> Response[str]:
    """Let it trade."""
    try:
        await vetting.vet(by=viewer_of(request).actor, company_id=company_id)
    except NotSeen:
        raise
    except DomainError as refusal:
        return again(request, APPLICANT, refusal, {}, **await _applicant(company_id, request))
    return see_other(request, "/operator", flash=N_("The company can trade; its people are told."))


@post("/operator/companies/{company_id:uuid}/refusal", guards=[operator])
async def refuse(request: Web, company_id: FromPath[UUID], data: Form) -> Response[str]:
    """Do not let it trade, and say why."""
    try:
        await vetting.refuse(by=viewer_of(request).actor, company_id=company_id, reason=data.get("reason", ""))
    except NotSeen:
        raise
    except DomainError as refusal:
        return again(request, APPLICANT, refusal, data, **await _applicant(company_id, request))
    return see_other(request, "/operator", flash=N_("The company is refused; its people are told why."))


@post("/operator/companies/{company_id:uuid}/group", guards=[operator])
async def set_group(request: Web, company_id: FromPath[UUID], data: Form) -> Response[str]:
    """The legal group it belongs to."""
    try:
        await vetting.set_group(by=viewer_of(request).actor, company_id=company_id, name=data.get("group", ""))
    except NotSeen:
        raise
    except DomainError as refusal:
        return again(request, APPLICANT, refusal, data, **await _applicant(company_id, request))
    return see_other(request, f"/operator/companies/{company_id}", flash=N_("Saved."))


@post("/operator/companies/{company_id:uuid}/cause", guards=[operator])
async def set_cause(request: Web, company_id: FromPath[UUID], data: Form) -> Response[str]:
    """An association of general interest, or not."""
    await vetting.set_cause(by=viewer_of(request).actor, company_id=company_id, is_cause=data.get("cause") == "1")
    return see_other(request, f"/operator/companies/{company_id}", flash=N_("Saved."))


SIGN_UP, INVITATION = "companies/sign_up.html", "companies/invitation.html"
COMPANY, TEAM, APPLICANT = "companies/company.html", "companies/team.html", "operator/company.html"
PAGE = 30
_SIGN_UP_FIELDS = (
    "email",
    "password",
    "name",
    "zone",
    "legal_name",
    "trading_name",
    "country",
    "region",
    "group",
    "registration",
    "vat",
)


@cache
def countries_in(language: str) -> list[tuple[str, str]]:
    """(code, name) of every country, in the language's alphabetical order."""
    names = locale_of(language).territories
    return sorted(((code, names[code]) for code in countries()), key=lambda pair: sortable(pair[1]))


def _places(request: Web) -> dict[str, Any]:
    return {
        "countries": countries_in(language_of(request)),
        "zones": zone_choices(language_of(request)),
    }


async def _company(request: Web) -> dict[str, Any]:
    me = viewer_of(request)
    own = await queries.company_of(me.actor)
    at = now()
    return {
        "company": own,
        "countries": countries_in(language_of(request)),
        "zones": zone_choices(language_of(request), own.hours.zone),
        "country_name": dict(countries_in(language_of(request))).get(own.country, own.country),
        "rivals": await queries.rivals_named_by(me.actor) if me.actor.is_owner else [],
        "open_now": is_open(at, own.hours),
        "opens_next": next_opening(at, own.hours),
        "may_edit": me.actor.is_owner,
    }


async def _team(request: Web) -> dict[str, Any]:
    me = viewer_of(request).actor
    return {
        "colleagues": await queries.team_of(me),
        "invitations": await queries.invitations_of(me),
        "me": me.person_id,
    }


async def _applicant(company_id: UUID, request: Web) -> dict[str, Any]:
    found = await queries.company_for_operator(company_id)
    return {
        "company": found,
        "country_name": dict(countries_in(language_of(request))).get(found.country, found.country),
        "people": await queries.people_for_operator(company_id),
        "doubles": await queries.doubles_of(found),
        "groups": await queries.group_names(),
        "history": await queries.history_of(company_id),
    }


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as e:
        raise HoursOutOfOrder(field="closes") from e


def _days(texts: list[str]) -> frozenset[int]:
    if not all(text in "0123456" and len(text) == 1 for text in texts):
        raise NoWorkingDay(field="days")
    return frozenset(int(text) for text in texts)


HANDLERS = [
    sign_up_form,
    sign_up,
    invitation_form,
    accept_invitation,
    company,
    set_hours,
    set_closing,
    set_shop,
    correct_facts,
    hide_from,
    show_again,
    team,
    invite,
    withdraw_invitation,
    change_role,
    remove_colleague,
    desk,
    applicant,
    vet,
    refuse,
    set_group,
]
