"""A remembered viewer is forgotten the moment anything about them changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.channels import ChannelsPlugin

from exchange.accounts.actions.sessions import open_session, revoke_session
from exchange.companies.actions.recognition import recognise_session
from exchange.database import execute
from exchange.web.sign_in import Remembered
from exchange.web.stream import channels_plugin
from exchange.web.viewer import Viewer
from tests.factories import MadePerson, make_person


@asynccontextmanager
async def hearing() -> AsyncIterator[Remembered]:
    plugin = channels_plugin()
    app = Litestar(plugins=[plugin])
    remembered = Remembered()
    async with app.lifespan(), remembered.hearing(app.plugins.get(ChannelsPlugin)):
        async with asyncio.timeout(5):
            while not remembered.is_on:
                await asyncio.sleep(0.01)
        yield remembered


async def signed_in() -> tuple[MadePerson, str]:
    person = await make_person()
    return person, await open_session(person.id, address="127.0.0.1", agent="test")


async def until_forgotten(remembered: Remembered, secret: str, before: Viewer | None) -> Viewer | None:
    async with asyncio.timeout(3):
        while (found := await remembered.load(secret, recognise_session)) is before:
            await asyncio.sleep(0.01)
    return found


async def test_a_second_look_asks_nobody(committed: None) -> None:
    _, secret = await signed_in()
    async with hearing() as remembered:
        first = await remembered.load(secret, recognise_session)
        assert first is not None
        assert await remembered.load(secret, recognise_session) is first


async def test_a_revoked_session_is_over_everywhere_at_once(committed: None) -> None:
    person, secret = await signed_in()
    async with hearing() as remembered:
        viewer = await remembered.load(secret, recognise_session)
        assert viewer is not None and viewer.session_id is not None
        await revoke_session(by=person.actor, session_id=viewer.session_id)
        assert await until_forgotten(remembered, secret, viewer) is None


@pytest.mark.parametrize(
    ("change", "whose"),
    [
        ("update person set name = 'Renamed' where id = $1", "person"),
        ("update membership set role = 'trader' where person_id = $1", "person"),
        ("update company set vetting = 'refused' where id = $1", "company"),
    ],
)
async def test_whatever_a_page_shows_of_a_viewer_is_fresh_after_a_change(
    committed: None, change: str, whose: str
) -> None:
    person, secret = await signed_in()
    assert person.company is not None
    subject: UUID = person.id if whose == "person" else person.company.id
    async with hearing() as remembered:
        before = await remembered.load(secret, recognise_session)
        await execute(change, subject)
        assert await until_forgotten(remembered, secret, before) is not None
