"""What is true of people at the door: addresses, passwords, how long a session, a link and a trial last. Pure."""

import hashlib
import re
from datetime import timedelta
from enum import StrEnum
from functools import cache
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email

from exchange.errors import N_, Conflict, Invalid, NotAllowed

SESSION_IDLE = timedelta(days=14)
"""A session nobody used for so long is over."""
SESSION_LIFE = timedelta(days=90)
"""No session lives longer than this, however busy."""
SEEN_EVERY = timedelta(minutes=5)
"""How far ``last_seen_at`` may lag: a page view seldom needs a write."""


@cache
def zones() -> tuple[str, ...]:
    """The names of all time zones, in order: Python opens hundreds of files to list them."""
    return tuple(sorted(available_timezones()))


class LinkPurpose(StrEnum):
    """What a link in a mail does."""

    CONFIRM = "confirm"
    RESET = "reset"

    @property
    def lasts(self) -> timedelta:
        """How long the link works."""
        return timedelta(days=3) if self is LinkPurpose.CONFIRM else timedelta(hours=1)


class NotAnAddress(Invalid):
    message = N_("“%(email)s” is not an e-mail address. Write it like name@company.fr.")


class NoName(Invalid):
    message = N_("Write your first and last name.")


class PasswordTooShort(Invalid):
    message = N_("A password has at least 12 characters. A few words in a row are easy to remember.")


class PasswordTooLong(Invalid):
    message = N_("A password has at most 200 characters.")


class PasswordTooEasy(Invalid):
    message = N_("This password is among the first that would be tried. Choose words only you would put together.")


class WrongSignIn(Invalid):
    message = N_("This address and this password do not go together. Check both, or choose a new password.")


class NobodySignsIn(Invalid):
    """Told to the command line only: who may read the database may know who is a member."""

    message = N_("Nobody with the address %(email)s can sign in: no such account, or one never confirmed.")


class WrongPassword(Invalid):
    message = N_("This is not your present password.")


class NotConfirmed(NotAllowed):
    message = N_("Confirm your e-mail address first. We have just sent you the link again.")


class LinkSpent(Conflict):
    message = N_("This link was used already, or is too old. Ask for a new one.")


class NoLabel(Invalid):
    message = N_("Say what the token is for, so that you recognise it later.")


class UnknownLanguage(Invalid):
    message = N_("Choose French or English.")


def email_address(text: str) -> str:
    """The address as typed, its domain in lower case. Raises NotAnAddress. Asks no name server."""
    try:
        return validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError as e:
        raise NotAnAddress(field="email", email=text.strip()[:80]) from e


def person_name(text: str) -> str:
    """The name in one line. Raises NoName."""
    name = " ".join(text.split())
    if not 2 <= len(name) <= 120:
        raise NoName(field="name")
    return name


_FIRST_TRIED = (
    "abcdefghijklmnopqrstuvwxyz", "administrateur", "administrator", "azertyuiop", "bienvenue", "1q2w3e4r5t6y",
    "qazwsxedcrfv", "1qaz2wsx3edc", "changeme", "confrere", "confrère", "doudou", "football", "iloveyou", "jetaime",
    "letmein", "marseille", "motdepasse", "password", "princess", "qwertyuiop", "soleil", "sunshine", "superman",
    "welcome", "whatever", "1234567890", "0123456789", "0987654321", "123456789", "12345678", "azerty", "qwerty",
    "123456", "12345", "1234", "admin",
)  # fmt: skip


def ensure_password(password: str, *known: str, field: str = "password") -> None:
    """Twelve characters, five different ones beside common words and the words ``known`` of the person.

    No rule about digits or signs (NIST SP 800-63B §3.1.1.2 forbids them). Raises PasswordTooShort, PasswordTooLong,
    PasswordTooEasy.
    """
    if len(password) < 12:
        raise PasswordTooShort(field=field)
    if len(password) > 200:
        raise PasswordTooLong(field=field)
    rest = password.casefold()
    own = [part for word in known for part in re.split(r"[\W_]+", word.casefold()) if len(part) >= 4]
    for word in (*own, *_FIRST_TRIED):
        rest = rest.replace(word, "")
    if len(set(rest)) < 5:
        raise PasswordTooEasy(field=field)


def digest(secret: str) -> bytes:
    """What is stored of a random secret of 256 bits."""
    return hashlib.sha256(secret.encode()).digest()


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def device(agent: str) -> str:
    """A browser's ``User-Agent`` in two words a person knows: ``Firefox, Windows``. Blank when nothing is known."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    return ", ".join(part for part in (browser, system) if part)
