"""Joining, vetting, the team, and whom a company hides from, on a real database."""

import asyncio
import re
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exchange import clock
from exchange.accounts import rules as account_rules
from exchange.accounts.actions import sessions
from exchange.accounts.actions.people import AddressTaken, confirm_email
from exchange.actor import Actor, Role
from exchange.clock import now
from exchange.companies import queries, rules
from exchange.companies.actions import facts, members, rivals, vetting
from exchange.companies.actions import sign_up as signing_up
from exchange.companies.actions.mail import notify, notify_company
from exchange.companies.actions.recognition import recognise_session
from exchange.companies.actions.sign_up import NoCompanyName, sign_up
from exchange.companies.rules import Vetting, WorkingHours
from exchange.contact_details import ContactDetails
from exchange.database import fetch, fetchrow, fetchval
from exchange.errors import DomainError, NotSeen, Several, TooMany
from tests.factories import MadeCompany, make_company, make_person, make_siren

PASSWORD = "vélos rouges et verts"
HERE = {"address": "192.0.2.7", "agent": "Firefox Linux"}
FORM = {
    "email": "ada@example.org",
    "password": PASSWORD,
    "name": "Ada Lovelace",
    "language": "fr",
    "zone": "Europe/Paris",
    "legal_name": "Cycles Byron SARL",
    "trading_name": "",
    "country": "FR",
    "region": "Bretagne",
    "group": "",
    "registration": "732 829 320",
    "vat": "FR44 732 829 320",
    "address": "192.0.2.7",
}


async def link(pattern: str, to: str) -> str:
    text = await fetchval("select text from mail where recipient = $1 order by created_at desc limit 1", to)
    found = re.search(rf"/{pattern}/(\S+)", text)
    assert found, text
    return found[1]


async def test_a_session_ends_when_left_alone_and_when_old(db: None) -> None:
    person, start = await make_person(), now()
    with clock.frozen(start):
        secret = await sessions.open_session(person.id, **HERE)
    for day in (13, 26, 39, 52, 65, 78, 89):  # seen each time: used, so not left alone
        with clock.frozen(start + timedelta(days=day)):
            assert await recognise_session(secret)
    with clock.frozen(start + timedelta(days=90)):
        assert await recognise_session(secret) is None
    with clock.frozen(start):
        left = await sessions.open_session(person.id, **HERE)
    with clock.frozen(start + timedelta(days=14)):
        assert await recognise_session(left) is None


# --- joining


async def test_signing_up_makes_a_person_and_a_company_that_awaits_vetting(db: None) -> None:
    await sign_up(**FORM)
    await confirm_email(secret=await link("confirm", "ada@example.org"))
    viewer = await recognise_session(await sessions.sign_in(email="ada@example.org", password=PASSWORD, **HERE))
    assert viewer and viewer.actor.is_owner and not viewer.vetted
    company = await queries.company_of(viewer.actor)
    assert (company.registration, company.vat, company.vetting) == ("732829320", "FR44732829320", Vetting.AWAITING)
    assert (company.trading_name, company.group_name, company.currency) == ("Cycles Byron SARL",) * 2 + ("EUR",)
    assert company.hours == WorkingHours()


async def test_everything_wrong_is_told_at_once_each_at_its_field(db: None) -> None:
    wrong = {"email": "ada", "password": "short", "name": "", "legal_name": "", "registration": "1", "vat": "FR1"}
    wrong |= {"region": "06 12 34 56 78"}
    with pytest.raises(Several) as refusal:
        await sign_up(**(FORM | wrong))
    assert {r.field: type(r) for r in refusal.value.refusals} == {
        "email": account_rules.NotAnAddress,
        "password": account_rules.PasswordTooShort,
        "name": account_rules.NoName,
        "legal_name": NoCompanyName,
        "registration": rules.WrongSiren,
        "vat": rules.WrongVat,
        "region": ContactDetails,
    }
    assert await fetchval("select count(*) from company") == await fetchval("select count(*) from person") == 0


async def test_whoever_leaves_the_zone_open_gets_that_of_the_country(db: None) -> None:
    await sign_up(**(FORM | {"country": "IE", "registration": "123456", "vat": "", "zone": ""}))
    assert await fetch("select p.zone, c.zone from person p, company c") == [("Europe/Dublin", "Europe/Dublin")]


async def test_an_address_with_an_account_gets_a_mail_and_nothing_is_made(db: None) -> None:
    await make_person(email="ada@example.org", password_hash="x")
    before = await fetchval("select count(*) from company")
    await sign_up(**FORM)
    assert await fetchval("select count(*) from company") == before
    row = await fetchrow(
        "select template, due_at = created_at as at_once from mail where recipient = 'ada@example.org'"
    )
    assert row and tuple(row) == ("already_here", True)


async def test_the_register_number_of_a_member_is_not_refused_at_sign_up_but_shown_to_the_operator(db: None) -> None:
    member = await make_company(registration="732829320")
    await sign_up(**FORM)
    double = await fetchval("select id from company where vetting = 'awaiting'")
    found = await queries.company_for_operator(double)
    assert [d.id for d in await queries.doubles_of(found)] == [member.id]
    operator = await make_person(role=Role.OPERATOR)
    with pytest.raises(vetting.DoubleVetted):
        await vetting.vet(by=operator.actor, company_id=double)


async def test_signing_up_too_often_from_one_place_is_stopped(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_up, "SIGN_UPS_PER_ADDRESS", 2)
    for n in range(2):
        await sign_up(**(FORM | {"email": f"n{n}@example.org"}))
    with pytest.raises(TooMany):
        await sign_up(**(FORM | {"email": "n11@example.org"}))


# --- vetting


async def test_a_company_whose_papers_could_not_be_written_is_not_let_in(db: None) -> None:
    company = await make_company(vetting=Vetting.AWAITING, country="CU", currency="CUP", vat=None)
    with pytest.raises(rules.RateUnknown):
        await vetting.vet(by=(await make_person(role=Role.OPERATOR)).actor, company_id=company.id)


async def test_the_operator_lets_a_company_trade_and_its_people_are_told_in_their_hours(db: None) -> None:
    hours = WorkingHours()
    company = await make_company(vetting=Vetting.AWAITING, hours=hours)
    person = await make_person(company)
    operator = await make_person(role=Role.OPERATOR)
    friday_night = datetime(2026, 6, 12, 22, tzinfo=ZoneInfo("Europe/Paris"))
    with clock.frozen(friday_night):
        await vetting.vet(by=operator.actor, company_id=company.id)
        with pytest.raises(rules.AlreadyDecided):
            await vetting.vet(by=operator.actor, company_id=company.id)
    assert (await queries.company_of(person.actor)).vetting is Vetting.VETTED
    due = await fetchval("select due_at from mail where recipient = $1", person.email)
    assert due == datetime(2026, 6, 15, 9, tzinfo=ZoneInfo("Europe/Paris"))
    entry = await fetchrow("select person_id, fact from journal_entry where subject_id = $1", company.id)
    assert entry and tuple(entry) == (operator.id, "company.vetted")


async def test_a_refused_company_is_told_why_and_correcting_the_facts_asks_again(db: None) -> None:
    company = await make_company(vetting=Vetting.AWAITING)
    owner = await make_person(company, role=Role.OWNER)
    operator = await make_person(role=Role.OPERATOR)
    with pytest.raises(rules.NoReason):
        await vetting.refuse(by=operator.actor, company_id=company.id, reason=" ")
    await vetting.refuse(by=operator.actor, company_id=company.id, reason="The register extract is too old.")
    text = await fetchval("select text from mail where recipient = $1", owner.email)
    assert "The register extract is too old." in text
    await facts.correct_facts(by=owner.actor, legal_name="Byron SAS", registration="732829320", vat="")
    own = await queries.company_of(owner.actor)
    assert (own.vetting, own.legal_name) == (Vetting.AWAITING, "Byron SAS")
    await vetting.vet(by=operator.actor, company_id=company.id)
    with pytest.raises(facts.FactsVetted):
        await facts.correct_facts(by=owner.actor, legal_name="Other", registration="732829320", vat="")


async def test_companies_are_put_into_one_group_by_its_name(db: None) -> None:
    one, other = await make_company(), await make_company()
    operator = await make_person(role=Role.OPERATOR)
    for company in (one, other):
        await vetting.set_group(by=operator.actor, company_id=company.id, name="Groupe  Byron")
    assert await fetchval(
        "select count(distinct legal_group_id) = 1 from company where id = any($1)", [one.id, other.id]
    )
    with pytest.raises(vetting.NoGroupName):
        await vetting.set_group(by=operator.actor, company_id=one.id, name=" ")


# --- working hours and mail


async def test_an_owner_sets_working_hours(db: None) -> None:
    owner = await make_person(role=Role.OWNER)
    assert owner.company
    await facts.set_working_hours(
        by=owner.actor, zone="Europe/London", opens=time(8, 30), closes=time(12), days=frozenset({1, 5})
    )
    hours = await queries.hours_of(owner.company.id)
    assert hours == WorkingHours("Europe/London", "FR", time(8, 30), time(12), frozenset({1, 5}))
    with pytest.raises(rules.HoursOutOfOrder):
        await facts.set_working_hours(
            by=owner.actor, zone="Europe/London", opens=time(12), closes=time(12), days=frozenset({1})
        )


async def test_mail_waits_for_the_hours_of_each_person_in_their_own_zone(db: None) -> None:
    company = await make_company(hours=WorkingHours())
    here = await make_person(company)
    there = await make_person(company, zone="America/New_York")
    operator = await make_person(role=Role.OPERATOR)
    at = datetime(2026, 6, 10, 8, tzinfo=ZoneInfo("Europe/Paris"))
    with clock.frozen(at):
        await notify_company(company.id, "vetted", link="https://example.org")
        await notify(operator.id, "vetted", link="https://example.org")
    due = {r["recipient"]: r["due_at"] for r in await fetch("select recipient, due_at from mail")}
    assert due[here.email] == at + timedelta(hours=1)
    assert due[there.email] == datetime(2026, 6, 10, 9, tzinfo=ZoneInfo("America/New_York"))
    assert due[operator.email] == at
    waits = await fetchval(
        "select execute_after - created from pgqueuer "
        "where payload = (select uuid_send(id) from mail where recipient = $1)",
        there.email,
    )
    assert timedelta(hours=6, minutes=59) < waits <= timedelta(hours=7, minutes=1)


async def test_a_region_holds_neither_the_companys_name_nor_how_to_reach_it(db: None) -> None:
    """It stands on every masked lot."""
    owner = await make_person(await make_company(legal_name="Cycles Byron SARL"), role=Role.OWNER)
    await facts.set_shop(by=owner.actor, trading_name="Vélo Byron", region="Provence-Alpes-Côte d’Azur")
    for told in ("Bretagne, Cycles Byron", "byron@example.org", "Nord 06 12 34 56 78", "www.byron.fr"):
        with pytest.raises(ContactDetails) as refusal:
            await facts.set_shop(by=owner.actor, trading_name="Vélo Byron", region=told)
        assert refusal.value.field == "region"
    assert (await queries.company_of(owner.actor)).region == "Provence-Alpes-Côte d’Azur"


# --- the team


async def invited(by: Actor, role: str = "trader", email: str = "bob@example.org") -> str:
    await members.invite(by=by, email=email, name="Bob Martin", role=role)
    return await link("invitation", email)


TAKE: dict[str, Any] = {
    "name": "Bob Martin",
    "password": "trois camions bleus",
    "language": "en",
    "zone": "Europe/Paris",
}


async def test_a_colleague_takes_the_seat_they_were_offered_once(db: None) -> None:
    owner = await make_person(role=Role.OWNER)
    secret = await invited(owner.actor)
    assert [i.email for i in await queries.invitations_of(owner.actor)] == ["bob@example.org"]
    await members.accept_invitation(secret=secret, **TAKE)
    viewer = await recognise_session(
        await sessions.sign_in(email="bob@example.org", password="trois camions bleus", **HERE)
    )
    assert viewer and viewer.actor.company_id == owner.actor.company_id and viewer.role is Role.TRADER
    assert await queries.invitations_of(owner.actor) == []
    assert [c.name for c in await queries.team_of(owner.actor)] == [owner.name, "Bob Martin"]
    with pytest.raises(account_rules.LinkSpent):
        await members.accept_invitation(secret=secret, **TAKE)


async def test_an_invitation_replaces_the_one_before_and_can_be_withdrawn_by_its_company_only(db: None) -> None:
    owner, stranger = await make_person(role=Role.OWNER), await make_person(role=Role.OWNER)
    first = await invited(owner.actor)
    second = await invited(owner.actor, role="owner")
    assert await queries.invitation_of(first) is None
    offered = await queries.invitation_of(second)
    assert offered and offered.role is Role.OWNER
    assert await queries.invitations_of(stranger.actor) == []
    with pytest.raises(NotSeen):
        await members.withdraw_invitation(by=stranger.actor, invitation_id=offered.id)
    await members.withdraw_invitation(by=owner.actor, invitation_id=offered.id)
    with pytest.raises(account_rules.LinkSpent):
        await members.accept_invitation(secret=second, **TAKE)


async def test_an_invitation_is_too_old_after_a_fortnight(db: None) -> None:
    owner = await make_person(role=Role.OWNER)
    secret = await invited(owner.actor)
    with clock.frozen(now() + timedelta(days=15)), pytest.raises(account_rules.LinkSpent):
        await members.accept_invitation(secret=secret, **TAKE)


async def test_inviting_somebody_who_has_an_account_looks_the_same_to_the_owner(db: None) -> None:
    """Else a rival could ask which of our people are members. Only the holder of the mailbox is told."""
    owner = await make_person(role=Role.OWNER)
    rival = await make_person(email="bob@example.org")
    secret = await invited(owner.actor)
    with pytest.raises(AddressTaken):
        await members.accept_invitation(secret=secret, **TAKE)
    assert await fetchval("select company_id from membership where person_id = $1", rival.id) == rival.actor.company_id


async def test_a_colleague_who_is_removed_is_out_at_once_and_may_come_back(db: None) -> None:
    owner = await make_person(role=Role.OWNER)
    person_id = await members.accept_invitation(secret=await invited(owner.actor), **TAKE)
    secret = await sessions.sign_in(email="bob@example.org", password="trois camions bleus", **HERE)
    await members.remove_colleague(by=owner.actor, person_id=person_id)
    assert await recognise_session(secret) is None
    with pytest.raises(account_rules.WrongSignIn):
        await sessions.sign_in(email="bob@example.org", password="trois camions bleus", **HERE)
    other = await make_person(role=Role.OWNER)
    again = await members.accept_invitation(secret=await invited(other.actor), **TAKE)
    assert again == person_id
    assert await fetchval("select company_id from membership where person_id = $1", again) == other.actor.company_id


async def test_a_strangers_colleague_cannot_be_touched(db: None) -> None:
    owner, stranger = await make_person(role=Role.OWNER), await make_person(role=Role.OWNER)
    with pytest.raises(NotSeen):
        await members.change_role(by=owner.actor, person_id=stranger.id, role="trader")
    with pytest.raises(NotSeen):
        await members.remove_colleague(by=owner.actor, person_id=stranger.id)


async def test_a_company_keeps_an_owner(db: None) -> None:
    owner = await make_person(role=Role.OWNER)
    trader = await make_person(owner.company)
    for attempt in (
        members.change_role(by=owner.actor, person_id=owner.id, role="trader"),
        members.remove_colleague(by=owner.actor, person_id=owner.id),
    ):
        with pytest.raises(members.LastOwner):
            await attempt
    await members.change_role(by=owner.actor, person_id=trader.id, role="owner")
    await members.change_role(by=trader.actor, person_id=owner.id, role="trader")
    with pytest.raises(members.UnknownRole):
        await members.change_role(by=trader.actor, person_id=owner.id, role="operator")


async def test_two_owners_who_demote_each_other_at_once_leave_one(committed: None) -> None:
    one = await make_person(role=Role.OWNER)
    other = await make_person(one.company, role=Role.OWNER)
    done = await asyncio.gather(
        members.change_role(by=one.actor, person_id=other.id, role="trader"),
        members.change_role(by=other.actor, person_id=one.id, role="trader"),
        return_exceptions=True,
    )
    assert sorted(type(d).__name__ for d in done) == ["LastOwner", "NoneType"]


# --- whom a company hides from


async def blocked(company: MadeCompany) -> set[Any]:
    rows = await fetch("select rival_id from company_block where company_id = $1", company.id)
    return {r["rival_id"] for r in rows}


@pytest.mark.parametrize(
    "written",
    ["732 829 320", "73282932000074", "FR44 732829320", "Cycles Byron", "CYCLES  BYRON, S.A.R.L", "le vélo byron"],
)
async def test_a_rival_is_found_by_number_or_name_and_with_its_whole_group(db: None, written: str) -> None:
    owner = await make_person(role=Role.OWNER)
    assert owner.company
    rival = await make_company(
        registration="732829320", vat="FR44732829320", legal_name="Cycles Byron SARL", trading_name="Le Vélo Byron"
    )
    sister = await make_company(legal_group_id=rival.legal_group_id)
    bystander = await make_company()
    await rivals.hide_from(by=owner.actor, rival=written, country="FR")
    assert await blocked(owner.company) == {rival.id, sister.id}
    assert bystander.id not in await blocked(owner.company)
    (named,) = await queries.rivals_named_by(owner.actor)
    await rivals.show_again(by=owner.actor, rival_id=named.id)
    assert await blocked(owner.company) == set()


async def test_a_rival_who_joins_later_is_hidden_from_the_day_it_may_look(db: None) -> None:
    owner = await make_person(role=Role.OWNER)
    assert owner.company
    siren = make_siren(700_001)
    await rivals.hide_from(by=owner.actor, rival=siren, country="FR")
    rival = await make_company(registration=siren, vetting=Vetting.AWAITING)
    operator = await make_person(role=Role.OPERATOR)
    await vetting.vet(by=operator.actor, company_id=rival.id)
    assert await blocked(owner.company) == {rival.id}


async def test_a_company_moved_into_a_hidden_group_is_hidden_too(db: None) -> None:
    owner = await make_person(role=Role.OWNER)
    assert owner.company
    operator = await make_person(role=Role.OPERATOR)
    rival, sister = await make_company(), await make_company()
    await rivals.hide_from(by=owner.actor, rival=rival.registration, country="FR")
    await vetting.set_group(by=operator.actor, company_id=sister.id, name=rival.legal_name)
    assert await blocked(owner.company) == {rival.id, sister.id}


async def test_the_list_and_the_answer_are_the_same_for_members_and_strangers(db: None) -> None:
    """Else the form would tell any competitor who is a member here."""
    owner = await make_person(role=Role.OWNER)
    member = await make_company()
    stranger = make_siren(700_002)
    for number in (member.registration, stranger):
        await rivals.hide_from(by=owner.actor, rival=number, country="FR")
    listed = await queries.rivals_named_by(owner.actor)
    assert [(r.written, r.kind) for r in listed] == [(member.registration, "registration"), (stranger, "registration")]
    await rivals.hide_from(by=owner.actor, rival=member.registration, country="FR")
    assert len(await queries.rivals_named_by(owner.actor)) == 2


@pytest.mark.parametrize(
    ("written", "country", "refusal"),
    [
        (" ", "FR", rules.NobodyNamed),
        ("!?", "FR", rules.NobodyNamed),
        ("732829321", "FR", rules.WrongSiren),
        ("FR00732829320", "FR", rules.WrongVat),
        ("732829320", "XX", rules.UnknownCountry),
    ],
)
async def test_nonsense_is_refused_by_what_is_written_not_by_who_is_a_member(
    db: None, written: str, country: str, refusal: type[DomainError]
) -> None:
    owner = await make_person(role=Role.OWNER)
    with pytest.raises(refusal) as caught:
        await rivals.hide_from(by=owner.actor, rival=written, country=country)
    assert caught.value.field in ("rival", "country")


async def test_nobody_hides_from_themselves(db: None) -> None:
    owner = await make_person(role=Role.OWNER)
    assert owner.company
    for written in (owner.company.registration, owner.company.legal_name, owner.company.trading_name):
        with pytest.raises(rivals.OwnCompany):
            await rivals.hide_from(by=owner.actor, rival=written, country="FR")


async def test_a_list_is_its_owners_alone(db: None) -> None:
    owner, stranger = await make_person(role=Role.OWNER), await make_person(role=Role.OWNER)
    await rivals.hide_from(by=owner.actor, rival=make_siren(700_003), country="FR")
    (named,) = await queries.rivals_named_by(owner.actor)
    assert await queries.rivals_named_by(stranger.actor) == []
    with pytest.raises(NotSeen):
        await rivals.show_again(by=stranger.actor, rival_id=named.id)
