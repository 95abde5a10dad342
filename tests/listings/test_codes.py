import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean

from exchange.listings.rules import codes
from exchange.listings.rules.codes import Code, CodeFault

REFERENCE = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "reference" / "gtin" / "gtin-sample.csv"


def test_every_bar_code_of_the_reference_is_judged_right() -> None:
    if not REFERENCE.exists():
        pytest.skip("no reference data beside the checkout")
    with REFERENCE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wrong = [r["gtin"] for r in rows if codes.is_valid(r["gtin"]) != (r["check_digit_valid"] == "yes")]
    assert not wrong
    assert sum(codes.is_valid(r["gtin"]) for r in rows) == 290


@given(st.integers(min_value=10**10, max_value=10**12 - 1))
def test_one_wrong_digit_is_always_found(number: int) -> None:
    body = str(number).zfill(12)
    whole = body + ean.calc_check_digit(body)
    assert codes.is_valid(whole)
    for i, digit in enumerate(whole):
        broken = whole[:i] + str((int(digit) + 1) % 10) + whole[i + 1 :]
        assert not codes.is_valid(broken)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("4006381333931", Code("04006381333931")),
        ("4006381 333931", Code("04006381333931")),
        ("'036000291452", Code("00036000291452")),
        ('="4006381333931"', Code("04006381333931")),
        ("36000291452", Code("00036000291452", CodeFault.ZEROS_RESTORED)),
        ("4006381333932", Code(None, CodeFault.CHECK_DIGIT)),
        ("3,60E+12", Code(None, CodeFault.WRECKED)),
        ("3.60052E+12", Code(None, CodeFault.WRECKED)),
        ("9.78E+12", Code(None, CodeFault.WRECKED)),
        ("0000000000000", Code(None, CodeFault.PLACEHOLDER)),
        ("2000093016832", Code(None, CodeFault.IN_STORE)),
        ("12345", Code(None, CodeFault.WRONG_LENGTH)),
        ("see label", Code(None, CodeFault.NOT_DIGITS)),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", Code(None, CodeFault.NOT_DIGITS)),
        ("  ", None),
    ],
)
def test_a_cell_of_bar_codes_is_read(written: str, code: Code | None) -> None:
    assert codes.read(written) == code


def test_a_wrecked_code_is_known_again_in_the_whole_one() -> None:
    assert codes.wrecked_as("4.00638E+12", "4006381333931")
    assert codes.wrecked_as("4,01E+12", "4006381333931")
    assert not codes.wrecked_as("4,02E+12", "4006381333931")
    assert not codes.wrecked_as("4,01E+12", "4006381333932")


@pytest.mark.parametrize("code", ["96385074", "036000291452", "4006381333931", "14006381333938"])
def test_the_normal_form_and_the_printed_one_are_the_same_code(code: str) -> None:
    normal = codes.gtin14(code)
    assert normal is not None
    assert len(normal) == 14
    assert codes.shown(normal).lstrip("0") == code.lstrip("0")
    assert codes.is_valid(codes.shown(normal))
