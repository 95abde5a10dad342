"""Mail leaves by SMTP once; what signs in is not kept."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

import pytest

from exchange.accounts.actions.mail import deliver, send_mail
from exchange.accounts.queries import Recipient
from exchange.database import execute, fetchrow, fetchval
from exchange.settings import settings

TO = Recipient("ada@example.org", "Ada Lovelace, comtesse", "fr", "Europe/Paris")


@asynccontextmanager
async def mail_server(answer: str = "250 taken") -> AsyncIterator[tuple[str, list[EmailMessage]]]:
    """A mail server that keeps what it is given, or refuses it with ``answer``; yields its URL and the mails."""
    taken: list[EmailMessage] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            match line.split()[0].upper():
                case b"DATA":
                    writer.write(b"354 go on\r\n")
                    body = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                    if answer.startswith("250"):
                        taken.append(message_from_bytes(body, policy=policy.default))
                    writer.write(f"{answer}\r\n".encode())
                case b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                case _:
                    writer.write(b"250 fine\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", taken
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Read the settings anew before and after."""
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


async def written(secret: bool) -> UUID:
    return await send_mail(TO, "reset", secret=secret, link="http://127.0.0.1/reset/abc", lasts=None)


async def test_a_mail_leaves_once_with_accents_whole_and_nothing_secret_is_kept(
    db: None, smtp: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mail_server() as (url, taken):
        monkeypatch.setenv("SMTP_URL", url)
        settings.cache_clear()
        mail_id = await written(secret=True)
        await deliver(mail_id)
        await deliver(mail_id)
    (mail,) = taken
    assert mail["To"] == '"Ada Lovelace, comtesse" <ada@example.org>'
    assert mail["Subject"] == "Choisissez un nouveau mot de passe"
    assert mail["Message-ID"].startswith(f"<{mail_id}@") and mail["Auto-Submitted"] == "auto-generated"
    assert "Quelqu’un, vous sans doute, a demandé" in mail.get_content()
    row = await fetchrow("select text, sent_at from mail where id = $1", mail_id)
    assert row and row["text"] == "" and row["sent_at"] is not None


async def test_a_mail_the_server_refuses_stays_to_be_tried_again(
    db: None, smtp: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mail_server("451 try later") as (url, _):
        monkeypatch.setenv("SMTP_URL", url)
        settings.cache_clear()
        mail_id = await written(secret=False)
        with pytest.raises(Exception, match="try later"):
            await deliver(mail_id)
    assert await fetchval("select sent_at from mail where id = $1", mail_id) is None


async def test_without_a_mail_server_mail_stays_in_the_outbox_as_written(db: None) -> None:
    mail_id = await written(secret=True)
    await deliver(mail_id)
    row = await fetchrow("select text, sent_at from mail where id = $1", mail_id)
    assert row and "/reset/abc" in row["text"] and row["sent_at"] is None


async def test_a_name_cannot_smuggle_a_head_line_into_a_mail(
    db: None, smtp: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mail_server() as (url, taken):
        monkeypatch.setenv("SMTP_URL", url)
        settings.cache_clear()
        mail_id = await written(secret=False)
        await execute("update mail set recipient_name = $2 where id = $1", mail_id, "Ada\r\nBcc: rival@example.org")
        with pytest.raises(ValueError, match=r"[Nn]ewline|linefeed|carriage"):
            await deliver(mail_id)
    assert taken == []
