"""Every refusal of the exchange, by kind. Domains subclass a kind; ``web/refusals.py`` alone knows status codes.

DomainError
├── NotSeen        there is no such thing, or the asker may not see it: the two are never told apart
├── NotAllowed     the asker sees it but may not do this
├── Conflict       it was possible, but the state has changed since
├── Invalid        what was sent cannot be right; ``field`` says where
├── TooLarge       more bytes than the exchange takes
├── TooMany        too often; ``retry_after`` seconds
└── Unavailable    a part the exchange leans on does not answer
"""

from typing import ClassVar


def N_(text: str) -> str:  # noqa: N802  gettext's customary name for a marked, not yet translated text
    """Mark ``text`` for the translators; it is translated when shown, not here."""
    return text


class DomainError(Exception):
    """A refusal a person can act on.

    ``message`` is the English sentence and the key of its translation; ``%(name)s`` placeholders are filled from the
    keyword arguments. It says what was wrong *and* what to do. ``field`` names the form or JSON field to blame.
    """

    message: ClassVar[str] = N_("This cannot be done.")

    def __init__(self, *, field: str | None = None, **details: object) -> None:
        self.field = field
        self.details = details
        super().__init__(self.message % details if details else self.message)

    @property
    def code(self) -> str:
        """The stable, machine-readable name of this refusal: ``OfferExpired`` becomes ``offer_expired``."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class NotSeen(DomainError):
    """Nothing there for this viewer."""

    message = N_(
        "There is nothing at this address, or it is not open to you. Check the address, or go back to where you "
        "found it."
    )


class NotAllowed(DomainError):
    """Seen, but not theirs to do."""

    message = N_("Your role does not allow this. Ask the owner of your company's account.")


class Conflict(DomainError):
    """Right a moment ago; the state has moved on."""

    message = N_("This has changed since you opened the page. Look at it again and decide anew.")


class Invalid(DomainError):
    """The input itself cannot be right."""

    message = N_("Something in what you sent cannot be right. Correct it and send it again.")


class TooLarge(DomainError):
    """More bytes than the exchange takes in one piece."""

    message = N_("This file is too large. The limit is %(limit)s MB: send a smaller one, or split it.")


class TooMany(DomainError):
    """Asked too often."""

    message = N_("Too many attempts. Try again in %(minutes)s min.")

    def __init__(self, *, retry_after: int = 60, field: str | None = None, **details: object) -> None:
        super().__init__(field=field, minutes=-(-retry_after // 60), **details)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """A part the exchange leans on does not answer."""

    message = N_("A service we depend on does not answer. Nothing was changed; try again in a few minutes.")


class Several(Invalid):
    """More than one field is wrong; each refusal carries its own ``field``."""

    message = N_("Some fields need your attention.")

    def __init__(self, refusals: list[DomainError]) -> None:
        super().__init__()
        self.refusals = refusals
