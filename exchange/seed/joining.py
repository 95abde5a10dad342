"""The step that brings everybody in: groups, companies, people, one operator."""

from datetime import datetime, timedelta
from random import Random

from exchange.accounts.actions.passwords import hash_password
from exchange.actor import Role
from exchange.companies.rules import Vetting
from exchange.seed.addresses import address_of
from exchange.seed.chance import drawn_ids, named_id
from exchange.seed.people import PASSWORD
from exchange.seed.progress import Progress
from exchange.seed.steps import Market
from exchange.seed.writing import copy, insert
from exchange.settlement.rules.papers import MANDATE_VERSION


async def bring_in(market: Market, _: Progress) -> None:
    """Companies were vetted before the first quarter; everybody has the one password, hashed once."""
    with drawn_ids(Random(market.number)):  # noqa: S311 - the salt of a password that is printed
        password = await hash_password(PASSWORD)
    joined = market.now - timedelta(days=30 + 92 * (market.scale.quarters + 1))
    society, number = market.society, market.number
    everybody = [*((g, Vetting.VETTED, joined) for g in society.groups)]
    everybody += [(g, Vetting.AWAITING, market.now - timedelta(days=2)) for g in society.applicants]
    await copy("legal_group", ("id", "name", "created_at"), [(g.id, g.name, at) for g, _, at in everybody])
    await copy(
        "company",
        ("id", "legal_group_id", "legal_name", "trading_name", "country", "region", "registration", "vat", "currency",
         "vetting", "vetting_reason", "vetting_changed_at", "created_at", "zone", "opens", "closes", "days"),
        [
            (c.id, g.id, c.legal_name, c.trading_name, c.country, c.region, c.registration, c.vat, c.currency,
             vetting.value, "", at, at, c.hours.zone, c.hours.opens, c.hours.closes, sorted(c.hours.days))
            for g, vetting, at in everybody
            for c in g.companies
        ],
    )  # fmt: skip
    companies = [c for g, _, _ in everybody for c in g.companies]
    people = [*(p for c in companies for p in c.people), society.operator]
    await insert(
        "person",
        ("id", "email", "name", "password_hash", "language", "zone", "is_operator", "created_at", "confirmed_at"),
        [
            (p.id, p.email, p.name, password, p.language, p.zone, p.role is Role.OPERATOR, joined, _soon(joined))
            for p in people
        ],
    )
    await copy(
        "membership",
        ("id", "person_id", "company_id", "role", "created_at"),
        [
            (named_id(number, f"member {p.email}"), p.id, c.id, p.role.value, joined)
            for c in companies
            for p in c.people
        ],
    )
    await _tell_invoicing(market)


async def _tell_invoicing(market: Market) -> None:
    """Everybody has said where they are and given the mandate to invoice in their name, before any deal played."""
    at = market.now - timedelta(days=75)
    await copy(
        "invoicing",
        ("company_id", "street", "postcode", "city", "delivery_street", "delivery_postcode", "delivery_city",
         "franchise", "on_debits", "changed_at"),
        [
            (c.id, *address_of(market.number, c.trading_name, c.country), "", "", "", False, False, at)
            for c in market.society.companies
        ],
    )  # fmt: skip
    await copy(
        "invoice_mandate",
        ("id", "company_id", "version", "language", "person_id", "accepted_at"),
        [
            (named_id(market.number, f"mandate {c.trading_name}"), c.id, MANDATE_VERSION, c.language,
             c.owner.person_id, at)
            for c in market.society.companies
        ],
    )  # fmt: skip


def _soon(at: datetime) -> datetime:
    return at + timedelta(minutes=7)
