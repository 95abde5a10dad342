"""What two companies have of each other once they agreed: the contract, and what they wrote since."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from exchange.actor import Actor
from exchange.database import fetch, fetchrow
from exchange.errors import NotSeen
from exchange.listings.rules.lots import Incoterm
from exchange.listings.rules.thresholds import Threshold, frozen_in
from exchange.money import Money
from exchange.offers.queries.team import falls_to
from exchange.offers.rules.talks import State


@dataclass(frozen=True, slots=True)
class Signature:
    """Who bound their company, on which side, and when."""

    side: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Party:
    """A company as it was when it agreed."""

    legal_name: str
    trading_name: str
    country: str
    region: str
    registration: str
    vat: str | None


@dataclass(frozen=True, slots=True)
class Contract:
    """What was agreed, as it was frozen; the same for both sides."""

    negotiation_id: UUID
    mark: str
    """The first sixteen hexadecimal digits of its SHA-256, in fours."""
    seller: Party
    buyer: Party
    lot: dict[str, Any]
    lines: list[dict[str, Any]]
    """Each with its ``quantity`` and ``unit_price_minor``."""
    quantity: int
    unit_price: Money
    """The mean, rounded, where lines were agreed at prices of their own."""
    total: Money
    """Without VAT; exact."""
    incoterm: Incoterm
    pickup: list[str]
    """Half days on which the goods would best be fetched."""
    message: str
    terms_version: str
    offered: Signature
    accepted: Signature

    def money(self, minor: int) -> Money:
        """So much in the contract's currency."""
        return Money(minor, self.unit_price.currency)

    @property
    def threshold(self) -> Threshold | None:
        """What must be paid of the lot by all its buyers for this contract to take effect."""
        return frozen_in(self.lot)

    @property
    def has_line_prices(self) -> bool:
        return any(line["unit_price_minor"] != self.unit_price.minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Message:
    """What one side wrote to the other after they agreed."""

    id: UUID
    mine: bool
    person_name: str | None
    """Which colleague wrote it, for their own side only."""
    body: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """A message with the people to be told of it."""

    negotiation_id: UUID
    lot_title: str
    body: str
    author_name: str
    """The company that wrote it, by the name on its shop: the two have agreed."""
    receiver: UUID


async def contract_seen_by(actor: Actor, negotiation_id: UUID) -> Contract:
    """The contract a talk ended in, for its two sides. Raises NotSeen for others, and while nothing is agreed."""
    row = await fetchrow(
        "select k.content, k.sha256 from contract k join negotiation n on n.id = k.negotiation_id "
        "where n.id = $1 and $2 in (n.buyer_company_id, n.seller_company_id)",
        negotiation_id,
        actor.company_id,
    )
    return _contract(negotiation_id, row)


async def any_contract(negotiation_id: UUID) -> Contract:
    """The contract a talk ended in, for the exchange itself. Raises NotSeen while nothing is agreed."""
    row = await fetchrow("select content, sha256 from contract where negotiation_id = $1", negotiation_id)
    return _contract(negotiation_id, row)


def _contract(negotiation_id: UUID, row: Record | None) -> Contract:
    if row is None:
        raise NotSeen
    said = json.loads(row["content"])
    digits = row["sha256"].hex()[:16]
    unit_price = Money(said["unit_price_minor"], said["currency"])
    return Contract(
        negotiation_id=negotiation_id,
        mark=" ".join(digits[i : i + 4] for i in range(0, 16, 4)),
        seller=Party(**said["seller"]),
        buyer=Party(**said["buyer"]),
        lot=said["lot"],
        # contracts from before lines had prices say nothing of them: the price is each line's
        lines=[{"unit_price_minor": unit_price.minor} | line for line in said["lines"]],
        quantity=said["quantity"],
        unit_price=unit_price,
        total=Money(said.get("total_minor", unit_price.minor * said["quantity"]), unit_price.currency),
        pickup=said.get("pickup", []),
        incoterm=Incoterm(said["incoterm"]),
        message=said["message"],
        terms_version=said["terms_version"],
        offered=_signature(said["offered"]),
        accepted=_signature(said["accepted"]),
    )


def _signature(said: dict[str, str]) -> Signature:
    return Signature(said["by"], said["person"], datetime.fromisoformat(said["at"]))


async def messages_of(actor: Actor, negotiation_id: UUID) -> list[Message]:
    """What the two sides wrote since they agreed, oldest first, the latest two hundred; nothing for strangers."""
    rows = await fetch(
        "select m.id, m.company_id = $2 as mine, case when m.company_id = $2 then p.name end as person_name, m.body, "
        "m.written_at from talk_message m join negotiation n on n.id = m.negotiation_id "
        "join person p on p.id = m.person_id where m.negotiation_id = $1 "
        "and $2 in (n.buyer_company_id, n.seller_company_id) order by m.written_at desc, m.id desc limit 200",
        negotiation_id,
        actor.company_id,
    )
    return [Message(**row) for row in reversed(rows)]


@dataclass(frozen=True, slots=True)
class Letter:
    """What one side wrote to the other after they agreed, as the exchange itself reads it."""

    company: str
    body: str
    at: datetime


async def any_messages(negotiation_id: UUID) -> list[Letter]:
    """All that the two sides wrote since they agreed, oldest first, for the exchange itself."""
    rows = await fetch(
        "select c.legal_name as company, m.body, m.written_at as at from talk_message m "
        "join company c on c.id = m.company_id where m.negotiation_id = $1 order by m.written_at, m.id",
        negotiation_id,
    )
    return [Letter(**row) for row in rows]


async def message_told(message_id: UUID) -> Written | None:
    """A message with who is written to on the other side."""
    row = await fetchrow(
        "select w.negotiation_id, c.content ->> 'title' as lot_title, w.body, x.trading_name as author_name, "
        "case when w.company_id = n.buyer_company_id then n.seller_company_id else n.buyer_company_id end "
        "as to_company, "
        "coalesce((select o.person_id from offer o where o.negotiation_id = n.id and o.company_id <> w.company_id "
        "order by o.number desc limit 1), l.person_id) as known from talk_message w "
        "join negotiation n on n.id = w.negotiation_id join lot_copy c on c.id = n.lot_copy_id "
        "join lot l on l.id = n.lot_id join company x on x.id = w.company_id where w.id = $1 and n.state = $2",
        message_id,
        State.AGREED,
    )
    receiver = await falls_to(row["negotiation_id"], row["to_company"], known=row["known"]) if row else None
    if row is None or receiver is None:
        return None
    return Written(row["negotiation_id"], row["lot_title"], row["body"], row["author_name"], receiver)
