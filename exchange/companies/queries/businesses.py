"""Everything read about businesses. A company's own rows are loaded by its member; another's name never is, but by
`identity_of` once an agreement revealed it, and by the operator.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from exchange.accounts.rules import SEEN_EVERY, SESSION_IDLE, SESSION_LIFE, digest
from exchange.actor import Actor, Role
from exchange.clock import now
from exchange.companies.rules import Away, Vetting, WorkingHours, pseudonym
from exchange.database import fetch, fetchrow
from exchange.errors import NotSeen
from exchange.settings import settings
from exchange.web.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Recognised:
    """Who a secret stands for; ``stale`` when its last use was noted too long ago."""

    viewer: Viewer
    stale: bool


@dataclass(frozen=True, slots=True)
class Company:
    """A business with its facts: to its own members and the operator."""

    id: UUID
    legal_group_id: UUID
    group_name: str
    legal_name: str
    trading_name: str
    country: str
    region: str
    registration: str
    vat: str | None
    currency: str
    vetting: Vetting
    vetting_reason: str
    vetting_changed_at: datetime
    created_at: datetime
    is_cause: bool
    """An association of general interest, as the operator has checked."""
    hours: WorkingHours
    closed: Away | None
    """The company's own holidays."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a company really is: what an agreement reveals to the other side."""

    company_id: UUID
    legal_name: str
    trading_name: str
    country: str
    region: str
    registration: str
    vat: str | None


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person of one's own company."""

    person_id: UUID
    name: str
    email: str
    role: Role
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """A seat offered and not taken yet."""

    id: UUID
    company_id: UUID
    company_name: str
    name: str
    email: str
    role: Role
    invited_by: str
    expires_at: datetime
    zone: str
    """The company's, offered to who joins it."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Somebody the company hides from, as its owner wrote it; whether they are a member is not told."""

    id: UUID
    written: str
    kind: str
    value: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Applicant:
    """A company on the operator's list."""

    id: UUID
    legal_name: str
    country: str
    registration: str
    vetting: Vetting
    created_at: datetime
    confirmed: bool
    """Whether somebody of it proved their e-mail address."""


@dataclass(frozen=True, slots=True)
class Applying:
    """A person of a company, as the operator sees them."""

    name: str
    email: str
    role: Role
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal. ``person`` is None for what nobody did."""

    at: datetime
    fact: str
    person: str | None


# --- who is asking ---


async def viewer_of_session(secret: str) -> Recognised | None:
    """Whom a session cookie stands for, in one round trip; None when it is unknown, revoked or too old."""
    at = now()
    row = await fetchrow(
        "select s.id as secret_id, s.last_seen_at as used_at, p.id as person_id, p.name, p.language, p.zone, "
        "p.is_operator, m.company_id, m.role, c.trading_name, c.currency, c.vetting, c.vetted_at from session s "
        "join person p on p.id = s.person_id left join membership m on m.person_id = p.id "
        "left join company c on c.id = m.company_id where s.token_hash = $1 and s.revoked_at is null "
        "and s.last_seen_at > $2 and s.created_at > $3 and (p.is_operator or m.id is not null)",
        digest(secret),
        at - SESSION_IDLE,
        at - SESSION_LIFE,
    )
    return _recognised(row, at) if row else None


async def viewer_of_token(secret: str) -> Recognised | None:
    """Whom an API token stands for, in one round trip; None when it is unknown or revoked."""
    row = await fetchrow(
        "select t.id as secret_id, t.last_used_at as used_at, p.id as person_id, p.name, p.language, p.zone, "
        "p.is_operator, m.company_id, m.role, c.trading_name, c.currency, c.vetting, c.vetted_at from api_token t "
        "join person p on p.id = t.person_id left join membership m on m.person_id = p.id "
        "left join company c on c.id = m.company_id "
        "where t.token_hash = $1 and t.revoked_at is null and (p.is_operator or m.id is not null)",
        digest(secret),
    )
    return _recognised(row, now()) if row else None


def _recognised(row: Record, at: datetime) -> Recognised:
    role = Role.OPERATOR if row["is_operator"] else Role(row["role"])
    viewer = Viewer(
        actor=Actor(row["person_id"], row["company_id"], role),
        name=row["name"],
        company_name=row["trading_name"] or "",
        vetted=row["vetting"] == Vetting.VETTED,
        stopped=row["vetting"] == Vetting.STOPPED,
        refused=row["vetting"] == Vetting.REFUSED,
        was_vetted=row["vetted_at"] is not None,
        language=row["language"],
        zone=row["zone"],
        currency=row["currency"] or "EUR",
        session_id=row["secret_id"],
    )
    return Recognised(viewer, stale=row["used_at"] is None or at - row["used_at"] > SEEN_EVERY)


# --- one's own company ---


async def company_of(by: Actor, *, lock: bool = False) -> Company:
    """The actor's own company. Raises NotSeen for somebody without one."""
    return await _company(by.company_id, lock=lock)


async def hours_of(company_id: UUID) -> WorkingHours:
    """When the company works: for clocks. Raises NotSeen."""
    row = await fetchrow("select zone, country, opens, closes, days from company where id = $1", company_id)
    if row is None:
        raise NotSeen
    return hours_from(row)


async def absences_of(company_id: UUID) -> tuple[Away | None, list[Away | None]]:
    """The company's holidays, and the next absence of each of its people: for `rules.answers_at`."""
    rows = await fetch(
        "select c.closed_from, c.closed_until, m.person_id, m.away_from, m.away_until "
        "from company c left join membership m on m.company_id = c.id where c.id = $1",
        company_id,
    )
    team = [Away.of(r["away_from"], r["away_until"]) for r in rows if r["person_id"]]
    return (Away.of(rows[0]["closed_from"], rows[0]["closed_until"]) if rows else None), team


async def team_of(by: Actor) -> list[Colleague]:
    """The actor's colleagues and the actor, owners first."""
    rows = await fetch(
        "select p.id, p.name, p.email::text, m.role, "
        "(select max(s.last_seen_at) from session s where s.person_id = p.id) as last_seen_at "
        "from membership m join person p on p.id = m.person_id where m.company_id = $1 "
        "order by m.role = 'owner' desc, p.name, p.id",
        by.company_id,
    )
    return [Colleague(r["id"], r["name"], r["email"], Role(r["role"]), r["last_seen_at"]) for r in rows]


async def invitations_of(by: Actor) -> list[OpenInvitation]:
    """Seats the actor's company has offered and nobody has taken yet."""
    rows = await fetch(
        f"{_INVITATION} where i.company_id = $1 and i.accepted_at is null and i.withdrawn_at is null "
        "and i.expires_at > $2 order by i.created_at desc, i.id",
        by.company_id,
        now(),
    )
    return [_invitation(r) for r in rows]


async def invitation_of(secret: str, *, lock: bool = False) -> OpenInvitation | None:
    """The seat a link offers; None when it was taken, withdrawn or is too old."""
    row = await fetchrow(
        f"{_INVITATION} where i.token_hash = $1 and i.accepted_at is null and i.withdrawn_at is null "
        f"and i.expires_at > $2{' for no key update of i' if lock else ''}",
        digest(secret),
        now(),
    )
    return _invitation(row) if row else None


async def rivals_named_by(by: Actor) -> list[Rival]:
    """Whom the actor's company hides from, as written."""
    rows = await fetch(
        "select id, written, kind, value, created_at from named_rival where company_id = $1 order by created_at, id",
        by.company_id,
    )
    return [Rival(**r) for r in rows]


# --- others ---


async def identity_of(company_id: UUID) -> Identity:
    """Who the company really is. The caller has made sure that an agreement reveals it to this viewer."""
    row = await fetchrow(
        "select id as company_id, legal_name, trading_name, country, region, registration, vat from company "
        "where id = $1",
        company_id,
    )
    if row is None:
        raise NotSeen
    return Identity(**row)


async def applicants(*, state: Vetting, after: UUID | None = None, limit: int = 50) -> list[Applicant]:
    """The operator's list: companies in ``state``, oldest first; ``after`` is the last of the page before."""
    rows = await fetch(
        "select c.id, c.legal_name, c.country, c.registration, c.vetting, c.created_at, "
        "exists(select from membership m join person p on p.id = m.person_id "
        "where m.company_id = c.id and p.confirmed_at is not null) as confirmed "
        "from company c where c.vetting = $1 and ($2::uuid is null or (c.created_at, c.id) > "
        "(select created_at, id from company where id = $2)) order by c.created_at, c.id limit $3",
        state.value,
        after,
        limit,
    )
    return [Applicant(**(dict(r) | {"vetting": Vetting(r["vetting"])})) for r in rows]


async def company_for_operator(company_id: UUID, *, lock: bool = False) -> Company:
    """Any company: behind the operator's guard only. Raises NotSeen."""
    return await _company(company_id, lock=lock)


async def doubles_of(company: Company) -> list[Applicant]:
    """Other companies with the same register number: the operator asks which is the true one."""
    rows = await fetch(
        "select id, legal_name, country, registration, vetting, created_at, true as confirmed from company "
        "where country = $1 and registration = $2 and id <> $3 order by created_at",
        company.country,
        company.registration,
        company.id,
    )
    return [Applicant(**(dict(r) | {"vetting": Vetting(r["vetting"])})) for r in rows]


async def people_for_operator(company_id: UUID) -> list[Applying]:
    """Who acts for the company, and whether they proved their address."""
    rows = await fetch(
        "select p.name, p.email::text, m.role, p.confirmed_at from membership m join person p on p.id = m.person_id "
        "where m.company_id = $1 order by m.created_at, p.id",
        company_id,
    )
    return [Applying(r["name"], r["email"], Role(r["role"]), r["confirmed_at"]) for r in rows]


async def history_of(company_id: UUID) -> list[Entry]:
    """The journal's latest entries about the company."""
    rows = await fetch(
        "select j.at, j.fact, p.name as person from journal_entry j left join person p on p.id = j.person_id "
        "where j.subject_id = $1 order by j.id desc limit 50",
        company_id,
    )
    return [Entry(**r) for r in rows]


async def own_names(by: Actor) -> list[str]:
    """Names that no text of a masked writer may hold: the company's own and its people's.

    Never the reader's: a refusal that names them would tell the writer who is behind the other mask.
    """
    rows = await fetch(
        "select unnest(array[c.legal_name, c.trading_name]) as name from company c where c.id = $1 union all "
        "select p.name from membership m join person p on p.id = m.person_id where m.company_id = $1",
        by.company_id,
    )
    return [r["name"] for r in rows]


async def group_names() -> list[str]:
    """The legal groups that are known, by name."""
    return [r["name"] for r in await fetch("select distinct name from legal_group order by name")]


_INVITATION = (
    "select i.id, i.company_id, c.trading_name as company_name, i.name, i.email::text, i.role, p.name as invited_by, "
    "i.expires_at, c.zone from invitation i join company c on c.id = i.company_id join person p on p.id = i.invited_by"
)


def _invitation(row: Record) -> OpenInvitation:
    return OpenInvitation(**(dict(row) | {"role": Role(row["role"])}))


_COMPANY = (
    "select c.id, c.legal_group_id, g.name as group_name, c.legal_name, c.trading_name, c.country, c.region, "
    "c.registration, c.vat, c.currency, c.vetting, c.vetting_reason, c.vetting_changed_at, c.created_at, c.is_cause, "
    "c.zone, c.opens, c.closes, c.days, c.closed_from, c.closed_until "
    "from company c join legal_group g on g.id = c.legal_group_id where c.id = $1"
)


async def _company(company_id: UUID | None, *, lock: bool) -> Company:
    row = await fetchrow(_COMPANY + (" for no key update of c" if lock else ""), company_id)
    if row is None:
        raise NotSeen
    apart = ("zone", "opens", "closes", "days", "closed_from", "closed_until")
    facts = {k: v for k, v in row.items() if k not in apart}
    closed = Away.of(row["closed_from"], row["closed_until"])
    return Company(**(facts | {"vetting": Vetting(row["vetting"])}), hours=hours_from(row), closed=closed)


def hours_from(row: Record, zone: str = "") -> WorkingHours:
    """The working hours in a row of ``company``, in ``zone`` where one is given."""
    return WorkingHours(zone or row["zone"], row["country"], row["opens"], row["closes"], frozenset(row["days"]))


def mask(company_id: UUID, thing_id: UUID, language: str) -> str:
    """The name ``company_id`` wears on ``thing_id`` (a lot, a want, an introduction) under this exchange's secret."""
    return pseudonym(settings().secret_key.get_secret_value().encode(), company_id, thing_id, language)
