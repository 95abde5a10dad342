"""The journal's one write."""

import json
from collections.abc import Sequence
from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute


async def record(by: Actor | None, fact: str, subject: UUID, **details: str | int | bool | None) -> None:
    """Append ``fact`` about ``subject``, in the current transaction; ``by`` is None when no person did it."""
    await record_all(by, fact, [subject], **details)


async def record_all(by: Actor | None, fact: str, subjects: Sequence[UUID], **details: str | int | bool | None) -> None:
    """The same about several things at once, in one statement."""
    await execute(
        "insert into journal_entry (at, person_id, company_id, fact, subject_id, details) "
        "select $1, $2, $3, $4, subject, $6 from unnest($5::uuid[]) subject",
        now(),
        by.person_id if by else None,
        by.company_id if by else None,
        fact,
        [*subjects],
        json.dumps(details),
    )
