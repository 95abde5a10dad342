from dataclasses import asdict
from uuid import UUID, uuid4

import pytest

from exchange.actor import Actor
from exchange.companies.actions.rivals import hide_from
from exchange.database import execute, fetch, fetchval
from exchange.errors import NotSeen
from exchange.listings.actions.blocks import hide_lot
from exchange.listings.actions.lots import withdraw_lot
from exchange.listings.queries import lots
from exchange.listings.queries.lots import LotCard, Wanted, browse, lot_seen_by, photo_seen_by
from exchange.listings.rules.grades import Grade
from exchange.listings.rules.lots import LotState
from exchange.money import Money
from tests.factories import MadePerson, make_article, make_company, make_lot, make_person
from tests.listings.samples import gtin


async def titles(viewer: MadePerson, **wanted: object) -> list[str]:
    return [c.title for c in await browse(viewer.actor, Wanted(**wanted), "en")]  # type: ignore[arg-type]  # fields by name


@pytest.fixture
async def viewer(db: None) -> MadePerson:
    return await make_person()


@pytest.mark.parametrize(
    "asked", ["théière", "theiere", "THEIERE", "téière", "theieres", "Volcana teieres", "teapots", "teapto"]
)
async def test_a_search_forgives_accents_plurals_and_typos_in_both_languages(viewer: MadePerson, asked: str) -> None:
    await make_lot(title="Théière émaillée / enamel teapot", articles=[make_article(title="Teapot 1 L")])
    await make_lot(title="Garden chairs", category="garden", articles=[make_article(brand="Jardinex")])
    assert await titles(viewer, text=asked) == ["Théière émaillée / enamel teapot"]


async def test_a_lot_is_found_by_a_bar_code_and_by_words_of_its_lines(viewer: MadePerson) -> None:
    await make_lot(title="Mixed kitchen lot", articles=[make_article(gtin=gtin(5).zfill(14), title="Garlic press")])
    await make_lot(title="Other lot")
    assert await titles(viewer, text=gtin(5)) == ["Mixed kitchen lot"]
    assert await titles(viewer, text="garlic") == ["Mixed kitchen lot"]
    assert await titles(viewer, text="zzzzqqq") == []


@pytest.mark.parametrize("text", ["'", "a & | !", "<->", "   ", "%", "\\", "de la", "x" * 500, "éèà☃"])
async def test_no_text_whatever_breaks_the_search(viewer: MadePerson, text: str) -> None:
    await make_lot()
    await browse(viewer.actor, Wanted(text=text), "fr")


async def test_filters_narrow_and_combine(viewer: MadePerson) -> None:
    await make_lot(title="Cheap pans", unit_ask=Money(500, "EUR"))
    await make_lot(title="Dear pans", unit_ask=Money(3500, "EUR"))
    await make_lot(title="Returned", articles=[make_article(grade=Grade.B)], region="fr-south")
    await make_lot(title="Swiss chairs", category="furniture", unit_ask=Money(900, "CHF"))
    assert set(await titles(viewer, price_to=Money(600, "EUR"))) == {"Cheap pans"}
    assert set(await titles(viewer, price_from=Money(3000, "EUR"))) == {"Dear pans"}
    assert set(await titles(viewer, discount=80)) == {"Cheap pans"}
    assert set(await titles(viewer, grade="B")) == {"Returned"}
    assert set(await titles(viewer, category="furniture")) == {"Swiss chairs"}
    assert set(await titles(viewer, sector="home", region="fr-south")) == {"Returned"}
    assert set(await titles(viewer, country="DE")) == set()


@pytest.mark.parametrize("text", ["", "pans"])
async def test_paging_shows_every_lot_once(viewer: MadePerson, text: str) -> None:
    made = {(await make_lot()).id for _ in range(9)}
    seen: list[LotCard] = []
    after = None
    for _ in range(5):
        page = await browse(viewer.actor, Wanted(text=text), "en", after=after, limit=2)
        seen += page[:2]
        if len(page) <= 2:
            break
        after = page[1].id
    assert len(seen) == 9
    assert {c.id for c in seen} == made


async def test_who_lists_stays_masked(viewer: MadePerson) -> None:
    company = await make_company(legal_name="Quincaillerie Morvan SARL", region="Bretagne")
    seller = await make_person(company, name="Yann Le Gall")
    lot = await make_lot(seller, articles=[make_article(seller_ref="MORVAN-0042")])
    other = await make_lot(seller)
    cards = await browse(viewer.actor, Wanted(), "en")
    page = await lot_seen_by(viewer.actor, lot.id, "en")
    told = repr([asdict(c) for c in cards]) + repr(asdict(page))
    for secret in ("Morvan", "MORVAN", "Le Gall", "Bretagne", str(company.id), str(seller.id), company.registration):
        assert secret not in told
    assert page.private is None
    assert page.seller != (await lot_seen_by(viewer.actor, other.id, "en")).seller
    assert page.seller in told
    own = await lot_seen_by(seller.actor, lot.id, "en")
    assert own.lines[0].seller_ref == "MORVAN-0042"
    assert own.private is not None


async def test_browse_tells_no_exact_quantity_and_no_instant(viewer: MadePerson) -> None:
    await make_lot(quantity=137)
    (card,) = await browse(viewer.actor, Wanted(), "en")
    assert (card.units_from, card.units_to) == (100, 249)
    assert card.week.weekday() == 0
    assert not any("at" in name.split("_") or "quantity" in name for name in LotCard.__dataclass_fields__)


@pytest.mark.parametrize("way", ["company", "lot"])
async def test_the_rival_hidden_from_finds_nothing_anywhere(viewer: MadePerson, way: str) -> None:
    assert viewer.company is not None
    lot = await make_lot()
    assert await titles(viewer) == [lot.title]
    if way == "company":
        await hide_from(by=lot.seller.actor, rival=viewer.company.legal_name, country="FR")
    else:
        await hide_lot(by=lot.seller.actor, lot_id=lot.id, written=viewer.company.registration)
    assert await titles(viewer) == []
    assert await titles(viewer, text="pans") == []
    with pytest.raises(NotSeen):
        await lot_seen_by(viewer.actor, lot.id, "en")
    stranger = await make_person()
    assert await titles(stranger) == [lot.title]
    assert (await lot_seen_by(lot.seller.actor, lot.id, "en")).mine


@pytest.mark.parametrize("state", ["awaiting", "refused", "stopped"])
async def test_no_second_account_nor_a_stopped_one_sees_what_is_hidden_from_it(viewer: MadePerson, state: str) -> None:
    """A lot is hidden from a company by who it is, and nobody has checked who these are, or no longer."""
    lot, photo = await make_lot(), uuid4()
    await execute(
        "insert into photo (id, lot_id, position, width, height, content, thumbnail, created_at) "
        "values ($1, $2, 1, 1, 1, '', '', now())",
        photo,
        lot.id,
    )
    assert viewer.company is not None
    await hide_from(by=lot.seller.actor, rival=viewer.company.legal_name, country="FR")
    again = await make_person(await make_company(legal_name=viewer.company.legal_name))
    own = await make_lot(again)
    await execute("update company set vetting = $2 where id = $1", again.actor.company_id, state)
    assert await titles(again) == []
    assert await titles(again, text="pans") == []
    with pytest.raises(NotSeen):
        await lot_seen_by(again.actor, lot.id, "en")
    with pytest.raises(NotSeen):
        await photo_seen_by(again.actor, photo, thumbnail=True)
    assert (await lot_seen_by(again.actor, own.id, "en")).mine


async def test_a_closed_lot_is_there_for_its_seller_only(viewer: MadePerson) -> None:
    lot = await make_lot()
    await withdraw_lot(by=lot.seller.actor, lot_id=lot.id)
    assert await titles(viewer) == []
    with pytest.raises(NotSeen):
        await lot_seen_by(viewer.actor, lot.id, "en")
    assert (await lot_seen_by(lot.seller.actor, lot.id, "en")).state is LotState.WITHDRAWN


async def test_a_long_manifest_comes_in_pages(viewer: MadePerson) -> None:
    lot = await make_lot(articles=[make_article(title=f"Pan {n}") for n in range(120)])
    page = await lot_seen_by(viewer.actor, lot.id, "en")
    assert (len(page.lines), page.next_line, page.lines_total) == (50, 50, 120)
    last = await lot_seen_by(viewer.actor, lot.id, "en", after_line=100)
    assert (len(last.lines), last.next_line) == (20, None)


async def test_the_operator_sees_lots_masked_too(viewer: MadePerson) -> None:
    lot = await make_lot()
    seen = await lot_seen_by(Actor(uuid4(), None), lot.id, "en")
    assert seen.private is None
    assert not seen.mine


async def test_words_of_titles_are_kept_for_corrections(viewer: MadePerson) -> None:
    await make_lot(title="Bouilloires émaillées")
    assert await fetchval("select count(*) from search_word where word = 'emaillees'") == 1


async def test_what_a_lot_is_called_comes_before_what_stands_in_it(viewer: MadePerson) -> None:
    for title, line in (("Box of pans", "Lid"), ("Kitchen box", "Pan 24 cm"), ("Pans and pots", "Pot")):
        await make_lot(title=title, articles=[make_article(title=line, brand="Volcana")])
    found = await titles(viewer, text="pan")
    assert (set(found[:2]), found[2]) == ({"Box of pans", "Pans and pots"}, "Kitchen box")


async def test_a_word_that_stands_in_lines_only_is_no_typing_error(viewer: MadePerson) -> None:
    await make_lot(title="Linge blanche neige", articles=[make_article(title="Drap")])
    await make_lot(title="Chaises", articles=[make_article(title="Chaise, blanc")])
    assert await titles(viewer, text="blanc") == ["Chaises"]


async def test_a_page_begins_after_a_lot_that_was_sold_meanwhile(viewer: MadePerson) -> None:
    made = {lot.title: lot for lot in [await make_lot(title=f"Pans {n}") for n in range(4)]}
    whole = await titles(viewer, text="pans")
    last = made[whole[1]]
    await withdraw_lot(by=last.seller.actor, lot_id=last.id)
    rest = await browse(viewer.actor, Wanted(text="pans"), "en", after=last.id)
    assert [c.title for c in rest] == whole[2:]


@pytest.mark.parametrize("near", [0, 3, 1000])
async def test_every_lot_with_the_word_is_found_in_order_whatever_way_it_is_looked_for(
    viewer: MadePerson, monkeypatch: pytest.MonkeyPatch, near: int
) -> None:
    monkeypatch.setattr(lots, "NEAR", near)
    for n in range(11):
        title, line = ("Pans", "Lid") if n % 3 == 0 else ("Box", "Pan") if n % 3 == 1 else ("Chairs", "Chair")
        await make_lot(title=title, articles=[make_article(title=line, brand="Volcana")])
    weeks = "update lot set published_at = published_at - make_interval(days => (abs(hashtext(id::text)) % 60))"
    await execute(weeks)
    right = await fetch("select id from lot where title <> 'Chairs' order by title = 'Pans' desc, week desc, id desc")
    found: list[UUID] = []
    while (
        len(page := await browse(viewer.actor, Wanted(text="pan"), "en", after=found[-1] if found else None, limit=2))
        > 2
    ):
        found += [c.id for c in page[:2]]
    found += [c.id for c in page]
    assert found == [row["id"] for row in right]


async def test_little_words_alone_find_nothing(viewer: MadePerson) -> None:
    await make_lot(title="Pots on the stove")
    assert await titles(viewer, text="on") == []
