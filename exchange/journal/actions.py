"""The journal's one write."""

import json
from uuid import UUID

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import execute


async def record(by: Actor | None, fact: str, subject: UUID, **details: str | int | bool | None) -> None:
    """Append ``fact`` about ``subject``, in the current transaction; ``by`` is None when no person did it."""
    await execute(
        "insert into journal_entry (at, person_id, company_id, fact, subject_id, details) "
        "values ($1, $2, $3, $4, $5, $6)",
        now(),
        by.person_id if by else None,
        by.company_id if by else None,
        fact,
        subject,
        json.dumps(details),
    )
