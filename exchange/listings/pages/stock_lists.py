"""From a file to lots: upload, columns as understood, rows with their problems, publication."""

from typing import Any
from uuid import UUID

from babel import Locale
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery

from exchange.clock import now
from exchange.companies.queries import company_of
from exchange.errors import N_, DomainError
from exchange.listings.actions.stock_lists import correct_stock_list, publish_stock_list, upload_stock_list
from exchange.listings.queries.stock_lists import (
    PAGE,
    SeenStockList,
    own_stock_lists,
    rows_seen_by,
    stock_list_seen_by,
)
from exchange.listings.rules import lots as lot_rules
from exchange.listings.rules.articles import PRICE_MODES
from exchange.listings.rules.categories import CATEGORIES, REGIONS, SECTORS, region_of
from exchange.listings.rules.grades import LABELS as GRADES
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.numbers import Decimals
from exchange.listings.rules.problems import ASIDES, MESSAGES, REFUSALS
from exchange.listings.rules.rows import RowState
from exchange.listings.rules.stock_lists import Corrections
from exchange.listings.rules.thresholds import THRESHOLD_LIFE
from exchange.listings.rules.vocabulary import LABELS as ROLES
from exchange.listings.rules.vocabulary import Role
from exchange.listings.schemas import publication_from
from exchange.listings.spreadsheets.refusals import EmptyFile
from exchange.settings import settings
from exchange.web.guards import member, trading, viewer_of
from exchange.web.refusals import again
from exchange.web.render import Web, language_of, render, see_other
from exchange.web.translations import say

NEW = "listings/upload.html"
SHOW = "listings/stock_list.html"
PUBLISH = "listings/publish.html"
_ANY = dict.fromkeys(("value", "quantity", "currency", "reading", "row"), "…")
CURRENCIES = ("EUR", "GBP", "CHF", "USD", "PLN", "CZK", "SEK", "DKK", "NOK", "HUF", "RON", "CLP", "ARS")


@get("/stock-lists/new", guards=[member])
async def new(request: Web) -> Response[str]:
    """Where a file is dropped, and the latest ones."""
    return render(request, NEW, **await _upload_page(request))


@post("/stock-lists", guards=[member])
async def upload(request: Web) -> Response[str]:
    """Keep the file; it is read by a job, so this answers at once."""
    form = await request.form()
    file = form.get("file")
    try:
        if not isinstance(file, UploadFile):
            raise EmptyFile(field="file")
        stock_list_id = await upload_stock_list(
            by=viewer_of(request).actor, file_name=file.filename, content=await file.read()
        )
    except DomainError as refusal:
        return again(request, NEW, refusal, {}, **await _upload_page(request))
    return see_other(request, f"/stock-lists/{stock_list_id}")


@get("/stock-lists/{stock_list_id:uuid}", guards=[member])
async def show(
    request: Web,
    stock_list_id: FromPath[UUID],
    rows: FromQuery[str] = "problems",
    after: FromQuery[str] = "0.0",
) -> Response[str]:
    """What was understood; while the file is being read, how far it is."""
    return render(
        request, SHOW, fragment="listings/_stock_list.html", **await _list_page(request, stock_list_id, rows, after)
    )


@post("/stock-lists/{stock_list_id:uuid}/mapping", guards=[member])
async def correct(request: Web, stock_list_id: FromPath[UUID]) -> Response[str]:
    """The person's word on the columns."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    actor = viewer_of(request).actor
    try:
        known = await stock_list_seen_by(actor, stock_list_id)
        await correct_stock_list(by=actor, stock_list_id=stock_list_id, corrections=_corrections(form, known))
    except DomainError as refusal:
        return again(request, SHOW, refusal, form, **await _list_page(request, stock_list_id, "problems", "0.0"))
    return see_other(request, f"/stock-lists/{stock_list_id}", flash=N_("The list has been read again your way."))


@get("/stock-lists/{stock_list_id:uuid}/publication", guards=[trading])
async def publication(request: Web, stock_list_id: FromPath[UUID]) -> Response[str]:
    """The terms on which the list goes on sale."""
    return render(request, PUBLISH, **await _publication_page(request, stock_list_id))


@post("/stock-lists/{stock_list_id:uuid}/publication", guards=[trading])
async def publish(request: Web, stock_list_id: FromPath[UUID]) -> Response[str]:
    """Make the lot or the lots."""
    raw = await request.form()
    form: dict[str, str | list[str]] = {name: str(value) for name, value in raw.items()}
    form["slots"] = [str(slot) for slot in raw.getall("slots", [])]
    actor = viewer_of(request).actor
    try:
        known = await stock_list_seen_by(actor, stock_list_id)
        own = await company_of(actor)
        body = publication_from(form, known.currency)
        language = language_of(request)
        made = await publish_stock_list(
            by=actor,
            stock_list_id=stock_list_id,
            publication=body.publication(
                currency=known.currency,
                region=region_of(own.country, own.region),
                names={c.slug: say(language, c.name) for c in CATEGORIES},
            ),
        )
    except DomainError as refusal:
        return again(request, PUBLISH, refusal, form, **await _publication_page(request, stock_list_id))
    if len(made) == 1:
        return see_other(request, f"/lots/{made[0]}", flash=N_("Your lot is on sale. Add photos: they sell."))
    return see_other(request, "/lots/mine", flash=N_("%(count)s lots are on sale."), count=len(made))


HANDLERS: list[Any] = [new, upload, show, correct, publication, publish]


async def _upload_page(request: Web) -> dict[str, Any]:
    return {"lists": await own_stock_lists(viewer_of(request).actor), "limit": settings().upload_limit}


async def _list_page(request: Web, stock_list_id: UUID, rows: str, after: str) -> dict[str, Any]:
    actor = viewer_of(request).actor
    known = await stock_list_seen_by(actor, stock_list_id)
    state = {"refused": RowState.REFUSED, "warned": RowState.WARNED, "usable": RowState.USABLE, "aside": RowState.ASIDE}
    if rows == "problems":
        rows = next((state for state in ("refused", "warned", "usable", "aside") if getattr(known, state)), "usable")
    sheet, _, number = after.partition(".")
    start = (int(sheet), int(number)) if sheet.isdigit() and number.isdigit() and len(after) < 12 else (0, 0)
    found = [] if known.is_busy else await rows_seen_by(
        actor, stock_list_id, state=state.get(rows), after=start, limit=PAGE + 1
    )  # fmt: skip
    last = found[PAGE - 1] if len(found) > PAGE else None
    language = language_of(request)
    return {
        "list": known,
        "rows": found[:PAGE],
        "shown": rows if rows in state else "all",
        "next": f"{last.sheet}.{last.number}" if last else None,
        "started": start != (0, 0),
        "roles": [(role.value, say(language, ROLES[role])) for role in Role],
        "summary": [
            (times, say(language, MESSAGES[code], **_ANY))
            for code, times in known.problems
            if rows in ("refused", "warned") and (code in REFUSALS) == (rows == "refused")
        ],
        "asides": ASIDES,
        "grades": [(g.value, f"{g.value} · {say(language, label)}") for g, label in GRADES.items()],
        "currencies": _currencies(known.currency),
    }


async def _publication_page(request: Web, stock_list_id: UUID) -> dict[str, Any]:
    actor = viewer_of(request).actor
    known = await stock_list_seen_by(actor, stock_list_id)
    own = await company_of(actor)
    language = language_of(request)
    rows = await rows_seen_by(actor, stock_list_id, state=RowState.USABLE, limit=400)
    rows += await rows_seen_by(actor, stock_list_id, state=RowState.WARNED, limit=400)
    guessed = [r.line.category for r in rows if r.line and r.line.category]
    return {
        "list": known,
        "categories": category_options(language),
        "category": max(set(guessed), key=guessed.count) if guessed else "",
        "kinds": len(set(guessed)),
        "regions": [(slug, say(language, name)) for slug, name in REGIONS.items()],
        "region": region_of(own.country, own.region),
        "modes": [(mode.value, say(language, label)) for mode, label in PRICE_MODES.items()],
        "ungraded": any(r.line and r.line.grade is None for r in rows),
        "assumed": any(p.code == "quantity_assumed" for r in rows for p in r.problems),
        "usual_end": lot_rules.last_day(now().date()),
        "pooled_end": lot_rules.last_day(now().date(), THRESHOLD_LIFE),
        **term_options(language),
    }


def category_options(language: str) -> list[tuple[str, str]]:
    """Every category under the name of its sector."""
    return [(c.slug, f"{say(language, SECTORS[c.sector])} · {say(language, c.name)}") for c in CATEGORIES]


def term_options(language: str) -> dict[str, Any]:
    """The choices of the sale terms, in the reader's language."""
    return {
        "incoterms": [(i.value, say(language, label)) for i, label in lot_rules.INCOTERMS.items()],
        "packings": [(p.value, say(language, label)) for p, label in lot_rules.PACKINGS.items()],
        "grades": [(g.value, f"{g.value} · {say(language, label)}") for g, label in GRADES.items()],
        "slots": half_days(language),
        "cost_answers": [(a.value, say(language, label)) for a, label in lot_rules.COST_ANSWERS.items()],
        "latest": (now() + lot_rules.MAX_LIFE).date().isoformat(),
    }


def half_days(language: str) -> list[tuple[str, str]]:
    """The half days of ``lots.SLOTS`` with their names."""
    days = Locale.parse(language).days["stand-alone"]["wide"]
    halves = {"am": say(language, N_("morning")), "pm": say(language, N_("afternoon"))}
    order = ("mon", "tue", "wed", "thu", "fri", "sat")
    return [(s, f"{days[order.index(s[:3])]}, {halves[s[4:]]}") for s in lot_rules.SLOTS]


def _currencies(own: str) -> list[str]:
    return [own, *(c for c in CURRENCIES if c != own)]


def _corrections(form: dict[str, str], known: SeenStockList) -> Corrections:
    """What differs from our own reading; a column left as it was stays ours to judge."""
    roles = dict(known.corrections.roles)
    for column in known.columns:
        chosen = form.get(f"role-{column.index}", column.role.value)
        if chosen != column.role.value and chosen in set(Role):
            roles[column.index] = Role(chosen)
    sheet, header = form.get("sheet", ""), form.get("header", "")
    moved = (sheet.isdigit() and int(sheet) != known.sheet) or (header.isdigit() and int(header) != known.header)
    quantity = form.get("quantity", "")
    return Corrections(
        sheet=int(sheet) if sheet.isdigit() and len(known.sheets) > 1 else known.corrections.sheet,
        header=int(header) if header.isdigit() and int(header) != known.header else (
            None if moved else known.corrections.header
        ),
        roles={} if moved else roles,
        decimals=Decimals(form["decimals"]) if form.get("decimals") in (".", ",") else None,
        currency=form.get("currency") if form.get("currency") in CURRENCIES and (
            form.get("currency") != known.currency or known.corrections.currency
        ) else known.corrections.currency,
        grade=Grade(form["grade"]) if form.get("grade") in Grade.__members__ else None,
        quantity=int(quantity) if quantity.isdigit() and 0 < int(quantity) <= 1_000_000 else None,
    )  # fmt: skip
