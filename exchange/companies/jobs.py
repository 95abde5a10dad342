"""Mail that waits for working hours, and summaries, later."""

from uuid import UUID

from exchange.companies.actions import mail
from exchange.jobs import every, handles


@every("* * * * *")
async def send_summaries() -> None:
    """Every minute; after a pause of the worker what waited for several days comes as one."""
    await mail.send_summaries()


@handles(mail.LEAVING)
async def send_letter(mail_id: UUID) -> None:
    await mail.send_letter(mail_id=mail_id)
