"""Why a file is no stock list, and how large one may be."""

from typing import Any

from exchange.errors import N_, DomainError, Invalid, TooLarge

MAX_ROWS = 100_000
MAX_COLUMNS = 500


class EmptyFile(Invalid):
    message = N_("This file is empty. Export it again and check that it opens with rows in it.")


class HeadingsAlone(Invalid):
    message = N_(
        "This list has headings and no row under them. Export it again with its articles, or upload the file that "
        "holds them."
    )


class NotATable(Invalid):
    message = N_("This is a %(kind)s file, not a table. Export your stock as XLSX, XLS, ODS or CSV.")


class HoldsNoTable(Invalid):
    message = N_("This file holds no table that we can read. Export your stock as XLSX, XLS, ODS or CSV.")


class NotReadable(Invalid):
    message = N_("This file cannot be read: it is cut off or damaged. Save it again and upload it once more.")


class PasswordProtected(Invalid):
    message = N_(
        "This file is protected by a password. Remove it in your spreadsheet program and upload the file again."
    )


class UnpacksTooLarge(TooLarge):
    message = N_("Unpacked, this file is far larger than a stock list can be. Save it without pictures or macros.")


class TooManyRows(TooLarge):
    message = N_("This list has more than %(rows)s rows. Split it into several files.")


class TooManyColumns(TooLarge):
    message = N_("This list has more than %(columns)s columns. Keep those that describe the goods.")


class TookTooLong(Invalid):
    message = N_("This file takes too long to read. Save the list of goods alone, as CSV or XLSX, and try again.")


_REFUSALS: dict[str, type[DomainError]] = {
    kind.__name__: kind
    for kind in (
        EmptyFile, HeadingsAlone, NotATable, HoldsNoTable, NotReadable, PasswordProtected, UnpacksTooLarge,
        TooManyRows, TooManyColumns, TookTooLong,
    )
}  # fmt: skip


def refusal_named(name: str, details: dict[str, Any]) -> DomainError:
    """The refusal a stock list was stored with, to be said in the reader's language."""
    return _REFUSALS.get(name, NotReadable)(field="file", **details)


def check_size(rows: int, columns: int) -> None:
    """Whether a sheet is within the limits. Raises TooManyRows, TooManyColumns."""
    if rows > MAX_ROWS:
        raise TooManyRows(rows=MAX_ROWS, field="file")
    if columns > MAX_COLUMNS:
        raise TooManyColumns(columns=MAX_COLUMNS, field="file")
