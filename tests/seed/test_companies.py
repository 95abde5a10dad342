"""The society of the demo market."""

from collections import Counter

from exchange.actor import Role
from exchange.companies.rules import registration_number, vat_number
from exchange.seed.companies import society
from exchange.seed.people import COMPETITOR, MERCHANT, OWNER, PASSWORD, PEOPLE


def test_there_are_150_companies_in_120_groups_of_one_to_three() -> None:
    market = society(1)
    assert len(market.groups) == 120
    assert len(market.companies) == 150
    assert Counter(len(group.companies) for group in market.groups) == {1: 100, 2: 10, 3: 10}


def test_every_number_passes_the_checks_a_sign_up_makes() -> None:
    for company in society(1).companies:
        assert registration_number(company.country, company.registration) == company.registration
        assert vat_number(company.country, company.vat or "", company.registration) == company.vat


def test_one_number_makes_one_society_and_another_number_another() -> None:
    assert society(1) == society.__wrapped__(1)
    assert {c.id for c in society(1).companies}.isdisjoint(c.id for c in society(2).companies)


def test_nobody_shares_an_address_or_a_register_number() -> None:
    companies = society(1).companies
    emails = [person.email for company in companies for person in company.people]
    assert len(set(emails)) == len(emails)
    assert len({(c.country, c.registration) for c in companies}) == len(companies)


def test_every_company_has_one_owner_and_someone_who_trades() -> None:
    for company in society(1).companies:
        assert sum(person.role is Role.OWNER for person in company.people) == 1
        assert company.trader.company_id == company.id


def test_the_guests_are_rivals_in_the_same_two_sectors() -> None:
    market = society(1)
    merchant, competitor = market.company_of(MERCHANT), market.company_of(COMPETITOR)
    assert market.company_of(OWNER) == merchant
    assert merchant.group != competitor.group
    assert market.groups[merchant.group].home == market.groups[competitor.group].home
    assert {guest.language for guest in PEOPLE} == {"fr", "en"}
    assert len(PASSWORD) >= 12
