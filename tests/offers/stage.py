"""A seller, a lot, some buyers, and short words for what they do: what the tests of talks have in common."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from exchange.clock import now
from exchange.database import fetchrow, fetchval
from exchange.listings.rules.lots import CostAnswer, Incoterm
from exchange.listings.tables import CostStatement, Lot, ManifestLine
from exchange.money import Money
from exchange.offers import actions
from exchange.offers.rules.bids import Bid
from tests.factories import MadeCompany, MadePerson, make_company, make_person


def euros(text: str) -> Money:
    return Money.parse(text, "EUR")


@dataclass
class Stage:
    """One lot between a seller and a first buyer; ``another_buyer`` brings more."""

    seller: MadePerson
    buyer: MadePerson
    lot_id: UUID
    buyers: list[MadePerson] = field(default_factory=list)

    async def another_buyer(self) -> MadePerson:
        self.buyers.append(await make_person(await make_company()))
        return self.buyers[-1]

    async def offer(
        self,
        price: str = "8",
        quantity: int = 100,
        *,
        by: MadePerson | None = None,
        message: str = "",
        incoterm: Incoterm = Incoterm.FCA,
    ) -> UUID:
        return await actions.open_talk(
            lot_id=self.lot_id,
            bid=Bid(euros(price), quantity),
            incoterm=incoterm,
            message=message,
            by=(by or self.buyer).actor,
        )

    async def counter(
        self, talk_id: UUID, price: str = "9", quantity: int = 100, *, by: MadePerson | None = None, message: str = ""
    ) -> UUID:
        return await actions.make_move(
            negotiation_id=talk_id,
            bid=Bid(euros(price), quantity),
            incoterm=Incoterm.FCA,
            message=message,
            by=(by or self.seller).actor,
            cost=CostAnswer.END_OF_SEASON,
        )

    async def accept(
        self, talk_id: UUID, price: str = "8", quantity: int = 100, *, by: MadePerson | None = None
    ) -> None:
        await actions.accept_offer(
            negotiation_id=talk_id,
            price=euros(price),
            quantity=quantity,
            by=(by or self.seller).actor,
            cost=CostAnswer.END_OF_SEASON,
        )

    async def refuse(self, talk_id: UUID, *, by: MadePerson | None = None) -> None:
        await actions.refuse_offer(negotiation_id=talk_id, by=(by or self.seller).actor)

    async def withdraw(self, talk_id: UUID, *, by: MadePerson | None = None) -> None:
        await actions.withdraw_offer(negotiation_id=talk_id, by=(by or self.buyer).actor)

    async def left(self) -> int:
        return int(await fetchval("select quantity - reserved - sold from lot where id = $1", self.lot_id))

    async def state(self, talk_id: UUID) -> str:
        return str(await fetchval("select state from negotiation where id = $1", talk_id))


async def staged(
    *,
    units: int = 100,
    ask: str = "10",
    partial: bool = True,
    minimum: int = 1,
    multiple: int = 1,
    floor: str | None = None,
    auto_accept: str | None = None,
    seller: MadeCompany | None = None,
    buyer: MadeCompany | None = None,
) -> Stage:
    """A lot of ``units`` units in two lines, listed by one company, and a buyer of another."""
    selling = await make_person(seller or await make_company(), name="Solène Vendeuse")
    lot_id = uuid4()
    first = units - units // 2
    await Lot(
        id=lot_id,
        company_id=selling.company.id if selling.company else None,
        person_id=selling.id,
        title="Sabots de jardin, fin de saison",
        category="footwear",
        region="fr-north",
        country="FR",
        brands=["Sabotier"],
        grade="A",
        packing="cartons",
        incoterm="FCA",
        slots=["mon-am"],
        currency="EUR",
        unit_ask_minor=euros(ask).minor,
        ask_minor=euros(ask).minor * units,
        quantity=units,
        partial=partial,
        minimum=minimum,
        multiple=multiple,
        floor_minor=euros(floor).minor if floor else None,
        auto_accept_minor=euros(auto_accept).minor if auto_accept else None,
        origin_declared=True,
        published_at=now(),
        expires_at=now() + timedelta(days=60),
    ).save()
    for position, quantity in enumerate((first, units - first)):
        if quantity:
            await ManifestLine(
                id=uuid4(),
                lot_id=lot_id,
                position=position,
                seller_ref="REF-SECRETE",
                title=f"Sabot {position}",
                category="footwear",
                quantity=quantity,
                grade="A",
            ).save()
    await CostStatement(
        id=uuid4(),
        lot_id=lot_id,
        person_id=selling.id,
        answer="at_or_above_cost",
        occasion="publication",
        stated_at=now(),
    ).save()
    return Stage(selling, await make_person(buyer or await make_company(), name="Achille Acheteur"), lot_id)


async def offer_row(talk_id: UUID, number: int) -> dict[str, object]:
    row = await fetchrow("select * from offer where negotiation_id = $1 and number = $2", talk_id, number)
    assert row is not None
    return dict(row)
