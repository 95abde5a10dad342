"""Signing in, staying in, leaving; links, tokens and mail, on a real database."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

import exchange.accounts.jobs  # noqa: F401  makes the handlers known
from exchange import clock
from exchange.accounts import queries, rules
from exchange.accounts.actions import mail, passwords, people, sessions, tokens
from exchange.accounts.actions.passwords import hash_password
from exchange.actor import Actor, Role
from exchange.clock import now
from exchange.companies.actions.recognition import recognise_session, recognise_token
from exchange.database import execute, fetch, fetchrow, fetchval
from exchange.errors import DomainError, NotSeen, TooMany
from exchange.jobs import perform_due
from tests.factories import MadePerson, make_person

PASSWORD = "vélos rouges et verts"
HERE = {"address": "192.0.2.7", "agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}


async def somebody(role: Role = Role.TRADER) -> MadePerson:
    return await make_person(role=role, password_hash=await hash_password(PASSWORD))


async def link_in_last_mail(to: str, pattern: str) -> str:
    text = await fetchval("select text from mail where recipient = $1 order by created_at desc limit 1", to)
    found = re.search(rf"/{pattern}/(\S+)", text)
    assert found, text
    return found[1]


async def test_signing_in_opens_a_session_that_is_recognised(db: None) -> None:
    person = await somebody(Role.OWNER)
    secret = await sessions.sign_in(email=person.email.upper(), password=PASSWORD, **HERE)
    viewer = await recognise_session(secret)
    assert viewer and person.company
    assert (viewer.actor, viewer.name, viewer.company_name) == (person.actor, person.name, person.company.trading_name)
    assert viewer.vetted and viewer.currency == "EUR"


async def test_the_operator_is_recognised_without_a_company(db: None) -> None:
    operator = await somebody(Role.OPERATOR)
    viewer = await recognise_session(await sessions.sign_in(email=operator.email, password=PASSWORD, **HERE))
    assert viewer and viewer.actor.is_operator and not viewer.is_trader and not viewer.vetted


async def test_unknown_left_and_mistaken_people_get_the_same_answer_after_the_same_hashing(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    real = passwords._argon2.verify

    def verify(password: str, kept: str) -> bool:
        hashed.append(kept[:30])
        return real(password, kept)

    monkeypatch.setattr(passwords._argon2, "verify", verify)
    person, left = await somebody(), await make_person()
    told = []
    for email, password in (
        (person.email, "wrong horse battery"),
        (left.email, PASSWORD),
        ("nobody@example.org", PASSWORD),
    ):
        with pytest.raises(DomainError) as refusal:
            await sessions.sign_in(email=email, password=password, **HERE)
        told.append((type(refusal.value), str(refusal.value), refusal.value.field))
    assert told == [(rules.WrongSignIn, rules.WrongSignIn.message, "password")] * 3
    assert len(hashed) == 3 and len(set(hashed)) == 1  # one Argon2 run each, with the same parameters


async def test_secrets_are_stored_as_digests_only(db: None) -> None:
    person = await somebody()
    session = await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    token = await tokens.issue_token(by=person.actor, label="till")
    await people.send_link(person.id, rules.LinkPurpose.RESET)
    link = await link_in_last_mail(person.email, "reset")
    for table in ("session", "api_token", "mail_link", "person"):
        dump = str(await fetch(f"select * from {table}"))  # noqa: S608  our own table names
        assert not any(secret in dump for secret in (session, token, link, PASSWORD))
    assert await fetchval("select token_hash from session") == rules.digest(session)


async def test_an_unconfirmed_person_is_told_so_only_with_the_right_password(db: None) -> None:
    person = await somebody()
    await execute("update person set confirmed_at = null where id = $1", person.id)
    with pytest.raises(rules.WrongSignIn):
        await sessions.sign_in(email=person.email, password="not my password", **HERE)
    with pytest.raises(rules.NotConfirmed):
        await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    secret = await link_in_last_mail(person.email, "confirm")
    await people.confirm_email(secret=secret)
    assert await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    with pytest.raises(rules.LinkSpent):
        await people.confirm_email(secret=secret)


async def test_guessing_one_persons_password_is_stopped_and_says_when_to_return(db: None) -> None:
    person = await somebody()
    for _ in range(sessions.TRIES_PER_EMAIL):
        with pytest.raises(rules.WrongSignIn):
            await sessions.sign_in(email=person.email, password="a wrong password", **HERE)
    with pytest.raises(TooMany) as refusal:
        await sessions.sign_in(email=person.email, password=PASSWORD, address="198.51.100.1", agent="")
    assert 0 < refusal.value.retry_after <= 15 * 60
    with clock.frozen(now() + timedelta(minutes=16)):
        assert await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)


async def test_guessing_many_people_from_one_address_is_stopped(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "TRIES_PER_ADDRESS", 3)
    for n in range(3):
        with pytest.raises(rules.WrongSignIn):
            await sessions.sign_in(email=f"n{n}@example.org", password="a wrong password", **HERE)
    with pytest.raises(TooMany):
        await sessions.sign_in(email="n4@example.org", password="a wrong password", **HERE)


async def test_a_success_forgives_the_mistakes_before_it(db: None) -> None:
    person = await somebody()
    for _ in range(2):
        for _ in range(sessions.TRIES_PER_EMAIL - 1):
            with pytest.raises(rules.WrongSignIn):
                await sessions.sign_in(email=person.email, password="a wrong password", **HERE)
        assert await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)


async def test_a_new_device_is_told_to_the_person_at_once_and_a_known_one_is_not(db: None) -> None:
    person = await somebody()
    await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    assert await fetchval("select count(*) from mail") == 0
    await sessions.sign_in(email=person.email, password=PASSWORD, address="198.51.100.1", agent="Safari iPhone")
    row = await fetchrow("select template, text, due_at = created_at as at_once from mail")
    assert row and row["template"] == "new_sign_in" and "198.51.100.1" in row["text"] and row["at_once"]


async def test_sessions_are_listed_and_ended_by_their_owner_only(db: None) -> None:
    person, stranger = await somebody(), await somebody()
    here = await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    there = await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    viewer = await recognise_session(here)
    assert viewer and viewer.session_id
    assert [s.device for s in await queries.sessions_of(person.actor)] == ["Firefox, Linux"] * 2
    with pytest.raises(NotSeen):
        await sessions.revoke_session(by=stranger.actor, session_id=viewer.session_id)
    await sessions.sign_out(by=stranger.actor, session_id=viewer.session_id)
    assert await sessions.revoke_other_sessions(by=person.actor, keep=viewer.session_id) == 1
    assert await recognise_session(here) and await recognise_session(there) is None
    await sessions.sign_out(by=person.actor, session_id=viewer.session_id)
    assert await recognise_session(here) is None
    assert await queries.sessions_of(person.actor) == []


async def test_a_session_left_alone_for_a_fortnight_is_over(db: None) -> None:
    person = await somebody()
    secret = await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    with clock.frozen(now() + timedelta(days=13)):
        assert await recognise_session(secret)
    with clock.frozen(now() + timedelta(days=26)):
        assert await recognise_session(secret), "the use on day 13 was noted"
    with clock.frozen(now() + timedelta(days=41)):
        assert await recognise_session(secret) is None
    with clock.frozen(now() + timedelta(days=80)):
        await sessions.forget_old_sessions()
    assert await fetchval("select count(*) from session") == 0


async def test_changing_the_password_ends_the_other_sessions(db: None) -> None:
    person = await somebody()
    here = await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    there = await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    viewer = await recognise_session(here)
    assert viewer
    new = "trois camions bleus"
    with pytest.raises(rules.WrongPassword):
        await people.change_password(by=person.actor, present="not it at all", password=new, session_id=None)
    await people.change_password(by=person.actor, present=PASSWORD, password=new, session_id=viewer.session_id)
    assert await recognise_session(here) and await recognise_session(there) is None
    with pytest.raises(rules.WrongSignIn):
        await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)


async def test_a_forgotten_password_is_chosen_anew_by_a_link_that_works_once(db: None) -> None:
    person = await somebody()
    open_session = await sessions.sign_in(email=person.email, password=PASSWORD, **HERE)
    await people.ask_for_reset(email=person.email, address="192.0.2.7")
    await perform_due()
    secret = await link_in_last_mail(person.email, "reset")
    assert await queries.person_of_link(secret, rules.LinkPurpose.RESET)
    assert await queries.person_of_link(secret, rules.LinkPurpose.CONFIRM) is None
    await people.reset_password(secret=secret, password="trois camions bleus")
    assert await recognise_session(open_session) is None
    assert await sessions.sign_in(email=person.email, password="trois camions bleus", **HERE)
    with pytest.raises(rules.LinkSpent):
        await people.reset_password(secret=secret, password="quatre camions bleus")


async def test_a_reset_link_is_too_old_after_an_hour(db: None) -> None:
    person = await somebody()
    await people.send_link(person.id, rules.LinkPurpose.RESET)
    secret = await link_in_last_mail(person.email, "reset")
    with clock.frozen(now() + timedelta(minutes=61)), pytest.raises(rules.LinkSpent):
        await people.reset_password(secret=secret, password="trois camions bleus")


async def test_asking_to_reset_an_unknown_address_looks_the_same_and_writes_to_nobody(db: None) -> None:
    await people.ask_for_reset(email="nobody@example.org", address="192.0.2.7")
    assert await fetchval("select count(*) from pgqueuer where entrypoint = 'reset.asked'") == 1
    await perform_due()
    assert await fetchval("select count(*) from mail") == 0


async def test_a_token_acts_for_its_person_until_revoked(db: None) -> None:
    person, stranger = await somebody(), await somebody()
    secret = await tokens.issue_token_for(person.email, label="till")
    viewer = await recognise_token(secret)
    assert viewer and viewer.actor == person.actor
    (token,) = await queries.tokens_of(person.actor)
    assert token.label == "till" and token.last_used_at is not None
    with pytest.raises(NotSeen):
        await tokens.revoke_token(by=stranger.actor, token_id=token.id)
    await tokens.revoke_token(by=person.actor, token_id=token.id)
    assert await recognise_token(secret) is None
    assert await recognise_session(secret) is None


async def test_no_token_for_somebody_who_cannot_sign_in(db: None) -> None:
    left = await make_person()
    for email in (left.email, "nobody@example.org"):
        with pytest.raises(rules.NobodySignsIn, match=email):
            await tokens.issue_token_for(email, label="till")


async def test_a_token_needs_a_label(db: None) -> None:
    with pytest.raises(rules.NoLabel):
        await tokens.issue_token(by=Actor(uuid4(), None), label="  ")


async def test_mail_is_written_in_the_recipients_language(db: None) -> None:
    person = await make_person(language="fr")
    await mail.send_mail(await queries.recipient(person.id), "vetted", link="https://example.org")
    row = await fetchrow("select subject, text, recipient_name from mail")
    assert row and row["recipient_name"] == person.name
    assert row["text"].startswith(f"Bonjour {person.name}")
    assert "Subject" not in row["text"]


async def test_preferences_are_kept_and_nonsense_refused_at_its_field(db: None) -> None:
    person = await make_person()
    await people.set_preferences(by=person.actor, name="Ada  Byron", language="fr", zone="America/Montreal")
    me = await queries.account_of(person.actor)
    assert (me.name, me.language, me.zone) == ("Ada Byron", "fr", "America/Montreal")
    for wrong, field in (({"language": "de"}, "language"), ({"zone": "Mars"}, "zone"), ({"name": " "}, "name")):
        with pytest.raises(DomainError) as refusal:
            await people.set_preferences(by=person.actor, **({"name": "Ada", "language": "fr", "zone": "UTC"} | wrong))
        assert refusal.value.field == field
