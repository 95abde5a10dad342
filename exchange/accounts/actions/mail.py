"""Mail: written in the transaction of the fact it tells of, sent by a job, from then on kept for good.

A template ``templates/email/<name>.txt`` fills in the blocks of ``email/layout.txt``: the subject, what is said, the
one link, and what a summary of several mails says of it.
"""

import re
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import aiosmtplib
from asyncpg import Record

from exchange.accounts.queries import Recipient
from exchange.clock import now
from exchange.database import execute, fetchrow, transaction
from exchange.jobs import enqueue
from exchange.settings import settings
from exchange.web.render import text as rendered


async def send_mail(
    to: Recipient,
    template: str,
    *,
    at: datetime | None = None,
    secret: bool = False,
    unsubscribe: str = "",
    optional: bool = False,
    about: UUID | None = None,
    fact: str = "mail.queued",
    **context: Any,
) -> UUID:
    """Write the mail and queue it, in the current transaction. Returns its id.

    ``at`` is the earliest instant it may leave: None only for mail about security or asked for this minute; for all
    other use `companies.actions.mail.notify`, which waits for working hours (design promise 6). ``secret`` marks a
    text with a link that signs in: it is emptied once sent. ``unsubscribe`` is where one click ends mail of this sort;
    ``optional`` says that the person chose to get it. ``fact`` is handled when it may leave: by `deliver`, or by
    who looks first whether it still should, ``about`` being what it tells of.
    """
    subject, text = _written(to, template, optional=optional, **context)
    mail_id, written = uuid4(), now()
    async with transaction():
        await execute(
            "insert into mail (id, person_id, recipient, recipient_name, template, subject, text, secret, created_at, "
            "due_at, unsubscribe, about) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            mail_id,
            to.person_id,
            to.email,
            to.name,
            template,
            subject,
            text,
            secret,
            written,
            at or written,
            unsubscribe,
            about,
        )
        await enqueue(fact, mail_id, at=at)
    return mail_id


async def rewrite(mail_id: UUID, to: Recipient, template: str, **context: Any) -> None:
    """Write a mail that has not left anew, as things stand now."""
    subject, text = _written(to, template, optional=True, **context)
    await execute("update mail set subject = $2, text = $3 where id = $1 and sent_at is null", mail_id, subject, text)


async def take_back(mail_id: UUID) -> None:
    """A mail that has not left will not: what it told of is no more."""
    await execute("delete from mail where id = $1 and sent_at is null", mail_id)


async def put_off(mail_id: UUID, fact: str, at: datetime) -> None:
    """A mail that has not left leaves at ``at`` at the earliest."""
    await execute("update mail set due_at = $2 where id = $1 and sent_at is null", mail_id, at)
    await enqueue(fact, mail_id, at=at)


def in_brief(to: Recipient, template: str, **context: Any) -> str:
    """What a summary says of a mail: some lines and its link."""
    return re.sub(r"\n\s*\n", "\n", _rendered(to, template, brief=True, optional=True, **context).strip())


def _written(to: Recipient, template: str, **context: Any) -> tuple[str, str]:
    first, _, body = _rendered(to, template, brief=False, **context).partition("\n")
    subject = " ".join(first.removeprefix("Subject:").split())
    return subject[:200], re.sub(r"\n{3,}", "\n\n", body.strip()) + "\n"


def _rendered(to: Recipient, template: str, **context: Any) -> str:
    return rendered(f"email/{template}.txt", to.language, zone=to.zone, to=to, base_url=settings().base_url, **context)


async def deliver(mail_id: UUID) -> None:
    """Hand a mail to the mail server, once; without one it stays in the outbox. Raises what the server refuses with."""
    server = settings().smtp_url
    row = await fetchrow(
        "select id, recipient, recipient_name, subject, text, created_at, unsubscribe from mail "
        "where id = $1 and sent_at is null",
        mail_id,
    )
    if row is None or server is None:
        return
    where = urlsplit(server.get_secret_value())
    await aiosmtplib.send(
        _message(row),
        hostname=where.hostname,
        port=where.port,
        username=unquote(where.username) if where.username else None,
        password=unquote(where.password) if where.password else None,
        use_tls=where.scheme == "smtps",
        start_tls=None if where.scheme == "smtps" or not where.username else True,
        timeout=30,
    )
    await execute(
        "update mail set sent_at = $2, text = case when secret then '' else text end where id = $1", mail_id, now()
    )


def _message(row: Record) -> EmailMessage:
    """A plain mail. Its id is the row's, so that a second delivery is recognised as the same mail.

    It comes from the exchange, whoever it tells of: no header knows another company.
    """
    sender = settings().mail_from
    message = EmailMessage()
    message["From"] = sender
    message["To"] = formataddr((row["recipient_name"], row["recipient"]))
    message["Subject"] = row["subject"]
    message["Date"] = format_datetime(row["created_at"])
    message["Message-ID"] = f"<{row['id']}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if row["unsubscribe"]:
        message["List-Unsubscribe"] = f"<{row['unsubscribe']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(row["text"])
    return message
