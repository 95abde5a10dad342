"""What can be wrong with a row or said of a list: a code, where, and a sentence in the reader's language."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

from exchange.errors import N_


class Level(StrEnum):
    """How far a problem goes: the row is kept with a remark, or cannot be sold as it stands."""

    WARNED = "warned"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Problem:
    """One remark on one row. ``column`` is the header in the seller's own file, ``field`` our name for it."""

    code: str
    field: str
    column: str = ""
    details: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def level(self) -> Level:
        return Level.REFUSED if self.code in REFUSALS else Level.WARNED

    @property
    def message(self) -> str:
        """The English sentence, key of its translation, with ``%(name)s`` places for `details`."""
        return MESSAGES[self.code]


REFUSALS: dict[str, str] = {
    "title_missing": N_("The row has no title or description. Fill it in, or choose the column that holds it."),
    "quantity_missing": N_("The quantity is empty. Fill it in, or set a quantity for rows without one."),
    "quantity_not_number": N_("“%(value)s” is not a quantity. Write whole units, like 12."),
    "quantity_negative": N_("The quantity is negative (%(value)s): there is nothing to sell."),
    "quantity_not_whole": N_("The quantity (%(value)s) is not in whole units. List it in pieces, cartons or pallets."),
    "quantity_absurd": N_("The quantity (%(value)s) is beyond a million units. Is this column really the quantity?"),
    "out_of_stock": N_("None in stock: there is nothing to sell."),
    "price_negative": N_("The price is negative (%(value)s)."),
    "price_absurd": N_("The price (%(value)s) is beyond a hundred million. Is this column really a price?"),
    "currency_differs": N_("This row is in %(value)s, the list in %(currency)s. Put it in a list of its own."),
    "currency_unknown": N_("“%(value)s” is not a currency. Write a code such as EUR."),
}
WARNINGS: dict[str, str] = {
    "quantity_assumed": N_("The file gives no quantity: we count 1 until you state it."),
    "quantity_at_least": N_("“%(value)s” says “at least”: we count %(quantity)s."),
    "gtin_bad_check_digit": N_("The bar code %(value)s has a wrong check digit. The line is kept without it."),
    "gtin_wrecked": N_("A spreadsheet has cut the bar code to %(value)s. Format the column as text and export again."),
    "gtin_recovered": N_("A spreadsheet has cut the bar code to %(value)s; another cell of the row gives it in full."),
    "gtin_wrong_length": N_(
        "%(value)s is no bar code: those have 8, 12, 13 or 14 digits. The line is kept without it."
    ),
    "gtin_not_digits": N_("“%(value)s” is no bar code. The line is kept without it."),
    "gtin_placeholder": N_("The bar code is all zeros. The line is kept without it."),
    "gtin_in_store": N_("%(value)s is a code of your own shop. It means nothing elsewhere and is kept private."),
    "gtin_zeros_restored": N_("%(value)s had lost its leading zeros; the check digit proves them. They are restored."),
    "gtin_two_products": N_("Row %(row)s has the same bar code for another article."),
    "price_not_number": N_("“%(value)s” is not a price. The line is kept without it."),
    "number_ambiguous": N_(
        "“%(value)s” can be read two ways: we read %(reading)s. Choose the decimal sign if that is wrong."
    ),
    "total_differs": N_("Quantity times unit price does not make the row's total (%(value)s)."),
    "grade_unknown": N_("“%(value)s” is no condition we know. You choose the condition when you publish."),
    "title_cut": N_("The title was too long and has been cut."),
}
ASIDES: dict[str, str] = {
    "total": N_("A total, not an article"),
    "repeated_header": N_("The headings again"),
    "section": N_("A heading within the list"),
    "parent": N_("The parent of variants listed beside it"),
    "picture": N_("Only another picture of the article above"),
    "not_goods": N_("Not goods: a service, a download or something sold elsewhere"),
}
NOTICES: dict[str, str] = {
    "no_article": N_("No row is an article. “Set aside” tells why; check the row of the headings and the sheet."),
    "no_header": N_("The file has no headings: we recognised the columns by what they hold. Check each one."),
    "no_quantity": N_("No column gives the quantity. Choose one, or state how many of each row you have."),
    "empty_quantity": N_("The column “%(column)s” is empty. Choose another, or state how many of each row you have."),
    "no_price": N_("No column gives a price or a retail value. You set the price when you publish."),
    "no_grade": N_("No column gives the condition. You choose it when you publish."),
    "currency_assumed": N_("Nothing says in which currency the prices are: we assume %(currency)s."),
    "dollar_assumed": N_("The sign $ stands for several currencies: we assume %(currency)s."),
    "cost_set_aside": N_("Your costs (%(columns)s) stay yours: we set these columns aside without reading them."),
    "sheets_joined": N_("Several sheets have the same columns and are read together: %(sheets)s."),
    "sheets_unread": N_("Sheets not read: %(sheets)s."),
    "zero_prices": N_("%(count)s prices are 0 and count as no price."),
    "rows_cut": N_("Only the first %(rows)s rows are read. Split the file to list the rest."),
}
MESSAGES = REFUSALS | WARNINGS | ASIDES | NOTICES


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know about the whole list."""

    code: str
    details: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def message(self) -> str:
        return NOTICES[self.code]
