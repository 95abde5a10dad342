"""Working hours, masks, numbers and bands: what is true without a database."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.companies import rules
from exchange.companies.rules import DealsBand, Vetting, WorkingHours, after_business_days, is_open, masks, next_opening
from exchange.companies.rules.hours import _public_holidays
from exchange.errors import Invalid

PARIS = ZoneInfo("Europe/Paris")
FRENCH = WorkingHours()


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


DECADE = datetime(2025, 1, 1, tzinfo=UTC)
instants = st.integers(0, 9 * 365 * 24 * 60).map(lambda minutes: DECADE + timedelta(minutes=minutes))
hours = st.builds(
    lambda zone_country, opens, length, days: WorkingHours(
        zone=zone_country[0],
        country=zone_country[1],
        opens=time(opens // 60, opens % 60),
        closes=time(min(opens + length, 1439) // 60, min(opens + length, 1439) % 60),
        days=frozenset(days),
    ),
    st.sampled_from(
        [
            ("Europe/Paris", "FR"),
            ("Europe/London", "GB"),
            ("America/New_York", "US"),
            ("Australia/Lord_Howe", "AU"),
            ("Asia/Kathmandu", "NP"),
            ("Pacific/Kiritimati", "KI"),
        ]
    ),
    st.integers(0, 1400),
    st.integers(1, 900),
    st.sets(st.integers(0, 6), min_size=1),
)


# --- working hours


def test_thursday_afternoon_and_two_days_make_monday_afternoon() -> None:
    assert after_business_days(paris("2026-06-11 15:00"), 2, FRENCH) == paris("2026-06-15 15:00")


def test_out_of_hours_the_count_starts_at_the_next_opening() -> None:
    assert after_business_days(paris("2026-06-12 20:00"), 2, FRENCH) == paris("2026-06-17 09:00")


def test_closing_time_itself_is_closed() -> None:
    assert not is_open(paris("2026-06-11 16:00"), FRENCH)
    assert is_open(paris("2026-06-11 15:59"), FRENCH)
    assert next_opening(paris("2026-06-11 16:00"), FRENCH) == paris("2026-06-12 09:00")


def test_a_public_holiday_is_no_business_day() -> None:
    """14 July 2026 is a Tuesday."""
    assert not is_open(paris("2026-07-14 10:00"), FRENCH)
    assert after_business_days(paris("2026-07-13 10:00"), 1, FRENCH) == paris("2026-07-15 10:00")


def test_a_holiday_of_one_country_is_a_working_day_in_another() -> None:
    british = WorkingHours(zone="Europe/London", country="GB")
    assert is_open(datetime(2026, 7, 14, 10, tzinfo=UTC), british)


def test_the_wall_clock_is_kept_over_the_change_to_summer_time() -> None:
    """Paris moves its clocks on Sunday 29 March 2026."""
    due = after_business_days(paris("2026-03-27 15:00"), 1, FRENCH)
    assert due == paris("2026-03-30 15:00")
    assert due - paris("2026-03-27 15:00").astimezone(UTC) == timedelta(days=3, hours=-1)


def test_hours_that_fall_into_the_gap_of_a_clock_change_do_not_exist_that_day() -> None:
    nightly = WorkingHours(opens=time(2, 15), closes=time(2, 45), days=frozenset(range(7)))
    opening = next_opening(paris("2026-03-28 12:00"), nightly)
    assert is_open(opening, nightly)


@given(at=instants, hours=hours)
def test_the_next_opening_is_open_and_nothing_is_open_before_it(at: datetime, hours: WorkingHours) -> None:
    opening = next_opening(at, hours)
    assert opening >= at
    assert is_open(opening, hours)
    assert (opening == at) == is_open(at, hours)
    if opening > at:
        assert not is_open(at + (opening - at) / 2, hours)
        assert not is_open(opening - timedelta(microseconds=1), hours)


@given(at=instants, later=st.timedeltas(timedelta(0), timedelta(days=30)), days=st.integers(0, 12), hours=hours)
def test_a_later_start_is_never_due_earlier(at: datetime, later: timedelta, days: int, hours: WorkingHours) -> None:
    assert after_business_days(at, days, hours) <= after_business_days(at + later, days, hours)


@given(at=instants, days=st.integers(0, 12), hours=hours)
def test_one_day_more_is_later_and_every_due_instant_falls_on_a_working_day(
    at: datetime, days: int, hours: WorkingHours
) -> None:
    due = after_business_days(at, days, hours)
    assert at <= due < after_business_days(at, days + 1, hours)
    local = due.astimezone(ZoneInfo(hours.zone))
    assert local.weekday() in hours.days
    assert hours.opens <= local.time() <= hours.closes or local.utcoffset() != due.utcoffset()


@given(at=instants)
def test_no_due_instant_falls_on_a_french_public_holiday(at: datetime) -> None:
    due = after_business_days(at, 2, FRENCH).astimezone(PARIS)
    assert (due.month, due.day) not in {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)}
    assert FRENCH.opens <= due.time() <= FRENCH.closes


def test_a_country_without_known_holidays_still_works() -> None:
    """The package knows every country of today; one it will not know must not stop a clock."""
    assert _public_holidays("ZZ") == frozenset()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"country": "XX"}, "country"),
        ({"opens": time(16), "closes": time(9)}, "closes"),
        ({"days": frozenset()}, "days"),
        ({"days": frozenset({7})}, "days"),
    ],
)
def test_impossible_hours_are_refused_at_the_field_to_blame(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        WorkingHours(**wrong)  # type: ignore[arg-type]  # wrong values on purpose
    assert refusal.value.field == field


def test_clocks_count_forwards_only() -> None:
    with pytest.raises(ValueError, match="forwards"):
        after_business_days(datetime(2026, 1, 1, tzinfo=UTC), -1, FRENCH)


# --- the mask

SECRET = b"a secret of the test"


@given(company=st.uuids(), lot=st.uuids())
def test_a_pseudonym_is_stable_and_the_same_creature_in_both_languages(company: UUID, lot: UUID) -> None:
    english = rules.pseudonym(SECRET, company, lot, "en")
    french = rules.pseudonym(SECRET, company, lot, "fr")
    assert english == rules.pseudonym(SECRET, company, lot, "en")
    assert english.split()[-1] == french.split()[-1]
    adjective, noun = english.split()[:2]
    assert any(e == noun and french.startswith(f + " ") for e, f in masks._NOUNS)
    assert any(e == adjective and f" {f} " in french for e, f in masks._ADJECTIVES)


def test_two_lots_of_one_seller_wear_unrelated_names() -> None:
    company = uuid4()
    names = [rules.pseudonym(SECRET, company, uuid4(), "en").split() for _ in range(2000)]
    same_noun = sum(a[1] == b[1] for a, b in pairwise(names))
    assert same_noun < 2000 / len(masks._NOUNS) * 2
    assert len({tuple(n) for n in names}) > 1990


def test_another_secret_gives_another_name() -> None:
    company, lot = uuid4(), uuid4()
    names = {rules.pseudonym(bytes([n]), company, lot, "fr") for n in range(50)}
    assert len(names) > 45


def test_no_word_appears_twice_so_names_read_back_uniquely() -> None:
    for words in (masks._NOUNS, masks._ADJECTIVES):
        assert len({e for e, _ in words}) == len({f for _, f in words}) == len(words)


# --- numbers


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [
        ("FR", "732 829 320", "732829320"),
        ("FR", "732 829 320 00074", "732829320"),
        ("CH", "CHE-100.155.212", "CHE100155212"),
        ("DK", "DK 13585628", "13585628"),
        ("SE", "123456-7897", "1234567897"),
        ("GB", "sc 123456", "SC123456"),
        ("DE", "Aachen HRA 11223", "Aachen HRA 11223"),
        ("DE", "Amtsgericht Köln HRB 1234", "Köln HRB 1234"),
        ("RE", "732 829 320", "732829320"),
    ],
)
def test_registration_numbers_are_checked_and_kept_short(country: str, typed: str, kept: str) -> None:
    assert rules.registration_number(country, typed) == kept


@pytest.mark.parametrize(
    ("country", "typed", "refusal"),
    [
        ("FR", "732829321", rules.WrongSiren),
        ("FR", "", rules.WrongSiren),
        ("RE", "732829321", rules.WrongSiren),
        ("DE", "HRB 1234", rules.WrongHandelsregister),
        ("SE", "123456-7890", rules.WrongRegistration),
        ("GB", "12", rules.WrongRegistration),
        ("US", "x" * 21, rules.WrongRegistration),
        ("US", "١٢٣٤٥٦", rules.WrongRegistration),
    ],
)
def test_a_wrong_registration_number_is_refused_by_name(country: str, typed: str, refusal: type[Invalid]) -> None:
    with pytest.raises(refusal) as caught:
        rules.registration_number(country, typed)
    assert caught.value.field == "registration"


@pytest.mark.parametrize(
    ("country", "typed", "kept"),
    [
        ("FR", "Fr 40 303 265 045", "FR40303265045"),
        ("MC", "FR 53 0000 04605", "FR53000004605"),
        ("RE", "FR 40 303 265 045", "FR40303265045"),
        ("BE", "BE 697449992", "BE0697449992"),
        ("GR", "EL 094259216", "EL094259216"),
        ("DE", "DE 136,695 976", "DE136695976"),
        ("GB", "GB 980 7806 84", "GB980780684"),
        ("CH", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("NO", "NO 995 525 828 MVA", "NO995525828MVA"),
        ("US", "  ", None),
    ],
)
def test_vat_numbers_are_checked_and_kept_with_their_letters(country: str, typed: str, kept: str | None) -> None:
    assert rules.vat_number(country, typed) == kept


@pytest.mark.parametrize(
    ("country", "typed"),
    [
        ("FR", "FR 41 303 265 045"),
        ("FR", "DE136695976"),
        ("FR", "40303265045"),
        ("CH", "CHE107787578IVA"),
        ("US", "US1"),
    ],
)
def test_a_wrong_vat_number_is_refused(country: str, typed: str) -> None:
    with pytest.raises(rules.WrongVat):
        rules.vat_number(country, typed)


def test_a_french_vat_number_of_another_siren_is_refused_and_says_whose() -> None:
    with pytest.raises(rules.VatOfAnother, match="303265045"):
        rules.vat_number("FR", "FR40303265045", "732829320")
    assert rules.vat_number("FR", "FR40303265045", "303265045") == "FR40303265045"


@given(country=st.sampled_from(sorted(rules.countries())), text=st.text(max_size=40))
def test_whatever_is_typed_is_kept_short_or_refused_by_name(country: str, text: str) -> None:
    with suppress(rules.WrongSiren, rules.WrongRegistration):
        assert rules.registration_number(country, text)
    with suppress(rules.WrongVat):
        vat = rules.vat_number(country, text)
        assert vat is None or 4 <= len(vat) <= 24


@pytest.mark.parametrize(
    ("written", "country", "key"),
    [
        ("732 829 320 00074", "FR", ("registration", "FR:732829320")),
        ("SC 123456", "GB", ("registration", "GB:SC123456")),
        ("GB 980 7806 84", "FR", ("vat", "GB980780684")),
        ("EL 094259216", "FR", ("vat", "EL094259216")),
        ("S.A.R.L. L'Été à Vélo", "FR", ("name", "lete a velo")),
        ("SAS", "FR", ("name", "sas")),
        ("1001 Vélos", "FR", ("name", "1001 velos")),
    ],
)
def test_a_rival_is_named_by_number_or_name(written: str, country: str, key: tuple[str, str]) -> None:
    assert rules.rival_key(written, country) == key


def test_every_country_has_a_zone_and_a_currency() -> None:
    zones = available_timezones()
    for country in rules.countries():
        with suppress(rules.ZoneNotStated):
            assert rules.zone_in(country) in zones
        assert len(rules.currency_of(country)) == 3
    with pytest.raises(rules.ZoneNotStated):
        rules.zone_in("US")
    assert [rules.zone_in(c) for c in ("FR", "IE", "ES")] == ["Europe/Paris", "Europe/Dublin", "Europe/Madrid"]
    assert rules.currency_of("FR") == "EUR"
    assert rules.currency_of("GB") == "GBP"


# --- groups, vetting, bands


def test_a_refusal_needs_a_reason_and_a_decision_a_state_that_allows_it() -> None:
    rules.ensure_decidable(Vetting.AWAITING, Vetting.VETTED)
    rules.ensure_decidable(Vetting.AWAITING, Vetting.REFUSED, "The Kbis is older than three months.")
    with pytest.raises(rules.NoReason):
        rules.ensure_decidable(Vetting.AWAITING, Vetting.REFUSED, "  no  ")
    with pytest.raises(rules.AlreadyDecided):
        rules.ensure_decidable(Vetting.VETTED, Vetting.VETTED)


def test_bands_start_where_the_guide_says() -> None:
    assert [rules.deals_band(n).value for n in (0, 4, 5, 19, 20, 99, 100)] == (
        ["few"] * 2 + ["some"] * 2 + ["many"] * 2 + ["very_many"]
    )
    assert rules.reply_band(4, 4) is rules.ReplyBand.UNKNOWN
    assert [rules.reply_band(n, 10).value for n in (4, 5, 8, 9)] == ["rarely", "often", "often", "nearly_always"]
    assert DealsBand.SOME.label == "5 to 19 deals"


def test_every_day_of_ten_years_has_a_next_opening_within_a_fortnight() -> None:
    day = datetime(2025, 1, 1, tzinfo=UTC)
    while day.date() < date(2035, 1, 1):
        assert next_opening(day, FRENCH) - day < timedelta(days=14)
        day += timedelta(days=1)
