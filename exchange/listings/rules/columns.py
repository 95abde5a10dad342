"""Which column holds what: by its header, and by what its cells really hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import islice

from exchange.listings.rules import codes, grades, numbers, vocabulary
from exchange.listings.rules.numbers import Cell, Decimals
from exchange.listings.rules.vocabulary import Role
from exchange.listings.rules.words import is_blank, plain

MONEY = {Role.RRP, Role.RRP_TOTAL, Role.PRICE, Role.ASK}
NUMERIC = MONEY | {Role.QUANTITY, Role.WEIGHT}
_SAMPLED_ROWS = 3000


class Why(StrEnum):
    """How a column was recognised."""

    HEADER = "header"
    CONTENT = "content"
    PERSON = "person"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Column:
    """One column as understood. ``sure`` is between 0 and 1; ``filled`` counts cells that say something."""

    index: int
    header: str
    role: Role
    sure: float
    why: Why
    samples: tuple[str, ...]
    filled: int
    decimals: Decimals = Decimals.POINT
    proven: bool = False
    """Whether a cell of the column leaves no other reading of the decimal sign."""


def text_of(cell: Cell) -> str:
    """A cell as text; a whole number loses the ``.0`` a spreadsheet gives it, so that codes stay codes."""
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return str(cell).strip()


def recognise(
    header: Sequence[str] | None,
    body: Sequence[Sequence[Cell]],
    chosen: Mapping[int, Role] | None = None,
    decimals: Decimals | None = None,
) -> tuple[Column, ...]:
    """Give every column a role. ``chosen`` roles and ``decimals`` are the person's and are never questioned."""
    chosen = chosen or {}
    width = max((len(row) for row in body), default=0)
    width = max(width, len(header or ()))
    facts = [_Facts(tuple(_column(body, i))) for i in range(width)]
    names = [(header[i] if header and i < len(header) else "") for i in range(width)]
    guesses = [_guess(names[i], facts[i], headed=header is not None) for i in range(width)]
    roles = _assign(guesses, facts, names, chosen)
    if Role.TITLE not in roles.values():
        _find_title(roles, facts, chosen)
    if header is None:
        _find_numbers(roles, facts, chosen)
    _unswap_totals(roles, facts, chosen)
    columns = []
    for i in range(width):
        role = roles[i]
        guessed_role, sure, why = guesses[i]
        if i in chosen:
            sure, why = 1.0, Why.PERSON
        elif role != guessed_role:
            sure, why = (0.5, Why.CONTENT) if role is not Role.IGNORED else (sure, why)
        columns.append(Column(i, names[i], role, round(sure, 2), why, facts[i].samples, facts[i].filled))
    return _with_decimals(columns, facts, decimals)


def _column(body: Sequence[Sequence[Cell]], index: int) -> list[Cell]:
    step = max(1, len(body) // _SAMPLED_ROWS)
    return [row[index] if index < len(row) else "" for row in islice(body, 0, None, step)]


@dataclass(frozen=True)
class _Facts:
    """What the cells of one column have in common."""

    cells: tuple[Cell, ...]

    @cached_property
    def said(self) -> list[Cell]:
        return [c for c in self.cells if not is_blank(text_of(c))]

    @cached_property
    def texts(self) -> list[str]:
        return [text_of(c) for c in self.said]

    @property
    def filled(self) -> int:
        return len(self.said)

    @cached_property
    def samples(self) -> tuple[str, ...]:
        return tuple(" ".join(t.split())[:60] for t in islice(dict.fromkeys(self.texts), 3))

    def share(self, flags: Sequence[bool]) -> float:
        return sum(flags) / len(flags) if flags else 0.0

    @cached_property
    def numbers(self) -> list[Decimal]:
        return [n for c in self.said if (n := numbers.read(c, Decimals.POINT)) is not None]

    @cached_property
    def numeric(self) -> float:
        return len(self.numbers) / self.filled if self.filled else 0.0

    @cached_property
    def whole(self) -> float:
        return self.share([n == n.to_integral_value() for n in self.numbers])

    @cached_property
    def gtins(self) -> float:
        return self.share([codes.is_valid(codes.unquoted(t)) for t in self.texts])

    @cached_property
    def wrecked(self) -> float:
        return self.share([(c := codes.read(t)) is not None and c.fault is codes.CodeFault.WRECKED for t in self.texts])

    @cached_property
    def urls(self) -> float:
        return self.share(["://" in t or t.startswith("/") for t in self.texts])

    @cached_property
    def yes_no(self) -> float:
        return self.share([plain(t) in vocabulary.YES | vocabulary.NO for t in self.texts])

    @cached_property
    def kinds(self) -> float:
        known = vocabulary.PARENT_KINDS | vocabulary.NOT_GOODS | vocabulary.GOODS_KINDS
        return self.share([plain(t.split(",")[0]) in known for t in self.texts])

    @cached_property
    def graded(self) -> float:
        return self.share([grades.read(t) is not None for t in self.texts])

    @cached_property
    def opaque(self) -> float:
        """The share of long tokens that no person wrote: database keys."""
        return self.share([len(t) >= 15 and " " not in t and any(c.isdigit() for c in t) for t in self.texts])

    @cached_property
    def money_marked(self) -> float:
        return self.share([any(s in t for s in "€$£¥") for t in self.texts])

    @cached_property
    def distinct(self) -> int:
        return len(set(self.texts))

    @cached_property
    def length(self) -> float:
        return sum(map(len, self.texts)) / self.filled if self.filled else 0.0


_Guess = tuple[Role, float, Why]


def _guess(name: str, facts: _Facts, *, headed: bool) -> _Guess:
    found = vocabulary.meaning(name) if headed and name.strip() else None
    if "$" in name and found and found[0] is Role.IGNORED:
        found = None
    if found is None:
        if facts.filled >= 3 and facts.gtins >= 0.6:
            return Role.GTIN, 0.7, Why.CONTENT
        if facts.filled >= 3 and facts.wrecked >= 0.5:
            return Role.GTIN, 0.5, Why.CONTENT
        if facts.kinds >= 0.9 and facts.distinct > 1 and headed:
            return Role.KIND, 0.6, Why.CONTENT
        return Role.IGNORED, 0.0, Why.NOTHING
    role, sure = _checked(*found, facts)
    if role not in {found[0], Role.IGNORED}:
        return role, sure, Why.CONTENT
    return role, sure if facts.filled else sure * 0.2, Why.HEADER


def _checked(role: Role, sure: float, facts: _Facts) -> tuple[Role, float]:
    """The role a header promises, if the cells can keep the promise; else what they are."""
    if not facts.filled:
        return role, sure
    numeric, text = facts.numeric >= 0.5, facts.numeric < 0.5
    match role:
        case Role.QUANTITY if text and facts.yes_no >= 0.8:
            return Role.AVAILABILITY, 0.8
        case Role.AVAILABILITY if facts.yes_no < 0.8:
            return (Role.QUANTITY, 0.85) if numeric else (Role.IGNORED, sure)
        case Role.QUANTITY | Role.RRP | Role.RRP_TOTAL | Role.PRICE | Role.ASK | Role.WEIGHT if text:
            return Role.IGNORED, sure
        case Role.CATEGORY if facts.kinds >= 0.9 and facts.distinct > 1:
            return Role.KIND, 0.9
        case Role.CATEGORY if facts.opaque >= 0.8 or facts.numeric >= 0.8:
            return Role.IGNORED, sure
        case Role.SELLER_REF if facts.filled >= 3 and facts.gtins >= 0.8:
            return Role.GTIN, 0.8
        case Role.SELLER_REF if facts.filled >= 3 and sure < 0.8 and facts.gtins + facts.wrecked >= 0.5:
            return Role.GTIN, 0.7
        case Role.TITLE | Role.BRAND if facts.numeric >= 0.9:
            return Role.IGNORED, sure
        case Role.GRADE if facts.graded < 0.3 and sure < 0.9:
            return Role.IGNORED, sure
        case Role.OPTION if facts.urls >= 0.8:
            return Role.IGNORED, sure
    return role, sure


def _assign(
    guesses: Sequence[_Guess], facts: Sequence[_Facts], names: Sequence[str], chosen: Mapping[int, Role]
) -> dict[int, Role]:
    """Of several columns that claim one role the surest has it, then the fuller, then the first from the left."""
    roles: dict[int, Role] = dict(chosen)
    taken = set(chosen.values()) - vocabulary.REPEATABLE
    order = sorted(
        (i for i in range(len(guesses)) if i not in chosen),
        key=lambda i: (-guesses[i][1], -facts[i].filled, i),
    )
    losers = []
    for i in order:
        role = guesses[i][0]
        if role in taken:
            losers.append(i)
        else:
            roles[i] = role
            if role not in vocabulary.REPEATABLE:
                taken.add(role)
    for i in sorted(losers):
        second = vocabulary.SECOND_MEANINGS.get(plain(names[i]))
        if second and second not in taken:
            roles[i] = second
            taken.add(second)
        else:
            roles[i] = Role.DESCRIPTION if guesses[i][0] is Role.TITLE else Role.IGNORED
    return roles


def _find_title(roles: dict[int, Role], facts: Sequence[_Facts], chosen: Mapping[int, Role]) -> None:
    """Without a title column, a description serves; without that, the column of the longest varied texts."""
    free = [i for i in roles if i not in chosen]
    described = [i for i in free if roles[i] is Role.DESCRIPTION and facts[i].filled]
    worded = [
        i
        for i in free
        if roles[i] in {Role.IGNORED, Role.MODEL}
        and facts[i].numeric < 0.3
        and facts[i].urls < 0.3
        and facts[i].opaque < 0.5
        and facts[i].length >= 5
        and facts[i].distinct * 3 > facts[i].filled
    ]
    for i in described[:1] or sorted(worded, key=lambda i: -facts[i].length)[:1]:
        roles[i] = Role.TITLE


def _find_numbers(roles: dict[int, Role], facts: Sequence[_Facts], chosen: Mapping[int, Role]) -> None:
    """Without headers: the first small whole numbers are the quantity, the first prices the retail value."""
    free = [i for i in sorted(roles) if i not in chosen and roles[i] is Role.IGNORED and facts[i].numeric >= 0.8]
    held = set(roles.values())
    priced = [i for i in free if facts[i].money_marked >= 0.5] or [i for i in free if facts[i].whole < 0.7]
    counted = [
        i
        for i in free
        if facts[i].whole == 1 and facts[i].money_marked == 0 and all(0 <= n <= 10_000 for n in facts[i].numbers)
    ]
    if counted and Role.QUANTITY not in held:
        roles[counted[0]] = Role.QUANTITY
    if priced and not held & MONEY:
        roles[priced[0]] = Role.RRP


def _unswap_totals(roles: dict[int, Role], facts: Sequence[_Facts], chosen: Mapping[int, Role]) -> None:
    """When the "total" times the quantity makes the "unit" price, the two headers were the wrong way round."""
    at = {role: i for i, role in roles.items()}
    unit, total, quantity = at.get(Role.RRP), at.get(Role.RRP_TOTAL), at.get(Role.QUANTITY)
    if unit is None or total is None or quantity is None or {unit, total} & set(chosen):
        return
    agreed = swapped = 0
    for u, t, q in zip(facts[unit].cells, facts[total].cells, facts[quantity].cells, strict=True):
        a, b, n = (numbers.read(c, Decimals.POINT) for c in (u, t, q))
        if a and b and n and n > 1:
            agreed += abs(a * n - b) <= b / 100
            swapped += abs(b * n - a) <= a / 100
    if swapped > agreed:
        roles[unit], roles[total] = Role.RRP_TOTAL, Role.RRP


def _with_decimals(columns: list[Column], facts: Sequence[_Facts], decimals: Decimals | None) -> tuple[Column, ...]:
    """Decide the decimal sign of each numeric column; what the file's other columns prove breaks a tie."""
    if decimals:
        return tuple(replace(c, decimals=decimals, proven=True) for c in columns)
    styles = {c.index: numbers.style_of(facts[c.index].cells) for c in columns if c.role in NUMERIC}
    proven = [s.decimals for s in styles.values() if s.proven]
    usual = max(set(proven), key=proven.count) if proven else None
    return tuple(
        replace(c, decimals=s.decimals, proven=s.proven)
        if (s := styles.get(c.index)) and s.proven
        else replace(c, decimals=(s := numbers.style_of(facts[c.index].cells, usual)).decimals, proven=False)
        if c.index in styles
        else c
        for c in columns
    )
