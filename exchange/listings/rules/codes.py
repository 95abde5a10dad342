"""Bar codes (GTIN) as text: check digits, lost zeros, codes a spreadsheet has wrecked.

The normal form everywhere in the exchange is fourteen digits, so that an EAN-13 and the same number written as a
GTIN-14 match; `shown` gives back the length people know. Source: GS1 General Specifications, section 7.9.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum import ean

LENGTHS = (8, 12, 13, 14)
_SEPARATORS = re.compile(r"[\s\u00a0\u202f.\-_]")
_WRECKED = re.compile(r"^(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})$")


class CodeFault(StrEnum):
    """Why a text is no usable bar code, or what had to be done to make it one."""

    NOT_DIGITS = "gtin_not_digits"
    WRONG_LENGTH = "gtin_wrong_length"
    CHECK_DIGIT = "gtin_bad_check_digit"
    WRECKED = "gtin_wrecked"
    PLACEHOLDER = "gtin_placeholder"
    IN_STORE = "gtin_in_store"
    """Valid, but numbered by a shop for itself: it means nothing elsewhere and could name the shop."""
    ZEROS_RESTORED = "gtin_zeros_restored"


@dataclass(frozen=True, slots=True)
class Code:
    """A bar code as read: `gtin` in fourteen digits, or ``None`` with the fault that says why."""

    gtin: str | None
    fault: CodeFault | None = None


def is_valid(text: str) -> bool:
    """Whether ``text`` is a GTIN-8, -12, -13 or -14 with a right check digit, exactly as written."""
    return len(text) in LENGTHS and text.isascii() and text.isdigit() and ean.is_valid(text)


def gtin14(text: str) -> str | None:
    """The normal form of what a person typed or scanned, or ``None``. Restores no zeros: see `read`."""
    digits = _SEPARATORS.sub("", text)
    return digits.zfill(14) if is_valid(digits) else None


def shown(gtin: str) -> str:
    """The form printed under the bars: 8, 12, 13 or 14 digits."""
    bare = gtin.lstrip("0")
    length = next(n for n in LENGTHS if n >= len(bare))
    return bare.zfill(13 if length == 12 and gtin[:2] == "00" and len(bare) < 12 else length)


def read(text: str) -> Code | None:
    """Read one cell of a bar-code column; ``None`` when it is empty.

    Eleven, ten or nine digits (seven or six for a GTIN-8) become a code only when the added zeros make the check digit
    right: a spreadsheet that took the code for a number drops them.
    """
    cleaned = _SEPARATORS.sub("", unquoted(text)) if not _WRECKED.match(text.strip()) else text.strip()
    if not cleaned:
        return None
    if _WRECKED.match(cleaned):
        return Code(None, CodeFault.WRECKED)
    if not (cleaned.isascii() and cleaned.isdigit()):
        return Code(None, CodeFault.NOT_DIGITS)
    if not cleaned.strip("0"):
        return Code(None, CodeFault.PLACEHOLDER)
    if len(cleaned) in LENGTHS:
        if not ean.is_valid(cleaned):
            return Code(None, CodeFault.CHECK_DIGIT)
        return Code(None, CodeFault.IN_STORE) if is_in_store(cleaned) else Code(cleaned.zfill(14))
    target = next((n for n in LENGTHS if n > len(cleaned)), None)
    if target and target - len(cleaned) <= 4 and ean.is_valid(cleaned.zfill(target)):
        whole = cleaned.zfill(target)
        return Code(None, CodeFault.IN_STORE) if is_in_store(whole) else Code(whole.zfill(14), CodeFault.ZEROS_RESTORED)
    return Code(None, CodeFault.WRONG_LENGTH)


def is_in_store(digits: str) -> bool:
    """Whether GS1 leaves the number to each shop: GTIN-12/13 prefixes 02, 04 and 20 to 29, GTIN-8 prefixes 0 and 2.

    A GTIN-8 that starts with 0 is a velocity code, assigned by the retailer too, but printed on own-brand goods the
    whole trade knows by it (Marks & Spencer does so): it is kept.
    """
    if len(digits) == 8:
        return digits[0] == "2"
    thirteen = digits[-13:].zfill(13)
    return digits[0] in "0123456789"[: 1 if len(digits) == 14 else 10] and thirteen[:2] in {
        "02", "04", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29"
    }  # fmt: skip


def wrecked_as(text: str, candidate: str) -> bool:
    """Whether a spreadsheet would show ``candidate`` as the wrecked ``text``: ``3,60E+12`` for ``3600521234567``."""
    match = _WRECKED.match(text.strip())
    if not match or not is_valid(candidate):
        return False
    mantissa = match[1] + (match[2] or "")
    number = int(candidate)
    shown_digits = f"{number:.{len(mantissa) - 1}e}".split("e")
    return shown_digits[0].replace(".", "") == mantissa and int(shown_digits[1]) == int(match[3])


def unquoted(text: str) -> str:
    """``text`` without the marks that force a spreadsheet to keep text: ``'012``, ``="012"``."""
    stripped = text.strip()
    if stripped.startswith('="') and stripped.endswith('"'):
        stripped = stripped[2:-1]
    return stripped.strip().lstrip("'’`").strip()
