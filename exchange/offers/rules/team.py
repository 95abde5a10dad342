"""What colleagues and agreed partners write beside the moves of a talk."""

from exchange.errors import N_, Conflict, Invalid

LONGEST = 2000
"""Letters of a note or a message."""


class NothingWritten(Invalid):
    message = N_("Write something first.")


class TooMuchWritten(Invalid):
    message = N_("This is longer than %(most)s letters. Say it shorter, or in two parts.")


class NotAColleague(Invalid):
    message = N_("Choose somebody of your own team.")


class NotAgreedYet(Conflict):
    message = N_("Messages begin when you agree. Until then, write with your next offer.")


def written(text: str) -> str:
    """The text, trimmed. Raises NothingWritten, TooMuchWritten."""
    text = text.strip()
    if not text:
        raise NothingWritten(field="text")
    if len(text) > LONGEST:
        raise TooMuchWritten(most=LONGEST, field="text")
    return text
