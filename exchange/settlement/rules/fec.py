"""The ledger as an accountant takes it in: the eighteen columns of the French entry file, in their order.

Source: article A47 A-1 of the Livre des procédures fiscales (*fichier des écritures comptables*): names and order of
columns, dates as YYYYMMDD, amounts with a decimal comma, debit and credit never negative. The account numbers are those
of the *plan comptable général*; an accountant who keeps others maps them by ``CompteNum``. Auxiliary accounts and
lettering are left empty: the ledger knows deals, and each is named in ``PieceRef``.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from exchange.money import Money
from exchange.settlement.rules.books import Account

COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
    "Idevise",
)  # fmt: skip
JOURNAL = ("CF", "Confrère")
ZONE = ZoneInfo("Europe/Paris")
"""The day of an entry is the day in France, where the books are kept."""

NUMBERS: Mapping[Account, str] = {
    Account.STRIPE: "517100",
    Account.CASH: "517200",
    Account.BANK: "512000",
    Account.HELD: "467100",
    Account.COMMISSION: "706000",
    Account.VAT: "445710",
    Account.FEES: "627800",
    Account.SURPLUS: "467200",
    Account.RECEIVABLE: "467300",
    Account.DISPUTED: "467400",
    Account.LOSSES: "654000",
    Account.EXTERNAL: "471000",
}
"""517 other financial bodies, 512 banks, 467 sundry debtors and creditors (money that is not ours), 706 services sold,
4457 VAT collected, 6278 bank fees, 654 losses on receivables, 471 to be explained."""


def row(
    *, number: int, at: datetime, account: Account, name: str, piece: str, text: str, amount: Money
) -> tuple[str, ...]:
    """One entry: a positive ``amount`` is a debit. ``number`` is that of its posting, ``piece`` the deal or object."""
    day = at.astimezone(ZONE).strftime("%Y%m%d")
    figure = _figure(abs(amount.minor), amount)
    debit, credit = (figure, _figure(0, amount)) if amount.minor > 0 else (_figure(0, amount), figure)
    return (
        *JOURNAL, str(number), day, NUMBERS[account], name, "", "", piece, day, text, debit, credit, "", "", day,
        _figure(amount.minor, amount), amount.currency,
    )  # fmt: skip


def line(values: tuple[str, ...], separator: str) -> str:
    """One line of the file; what would break it is taken out of the texts, as the decree asks."""
    clean = (value.replace(separator, " ").replace("\r", " ").replace("\n", " ").replace('"', "'") for value in values)
    return separator.join(clean) + "\r\n"


def _figure(minor: int, like: Money) -> str:
    return str(Money(minor, like.currency).decimal).replace(".", ",")
