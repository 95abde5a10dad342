"""Mail leaves, reset links are sent, old sessions are forgotten."""

from uuid import UUID

from exchange.accounts.actions import mail, people, sessions
from exchange.jobs import every, handles


@handles("mail.queued")
async def deliver_mail(subject: UUID) -> None:
    await mail.deliver(subject)


@handles("reset.asked")
async def send_reset(subject: UUID) -> None:
    await people.send_reset(subject)


@every("17 3 * * *")
async def forget_old_sessions() -> None:
    await sessions.forget_old_sessions()
