"""Summaries, later."""

from exchange.companies.actions import mail
from exchange.jobs import every


@every("* * * * *")
async def send_summaries() -> None:
    """Every minute; after a pause of the worker what waited for several days comes as one."""
    await mail.send_summaries()
