"""What the forms and the API of settlement share: reading a claim's lines, and what each side may do now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from exchange.clock import now
from exchange.settlement.queries.claims import ClaimView
from exchange.settlement.queries.deals import Deal
from exchange.settlement.rules.claims import Claimed, LossOutOfRange, NothingClaimed, PercentOutOfRange, Reason, Sold
from exchange.settlement.rules.deal import Move, Side, State, moves


@dataclass(frozen=True, slots=True)
class Possible:
    """What the reader may do with a deal now."""

    pay: bool
    moves: frozenset[Move]
    answer: bool
    take_offer: bool
    refund: bool
    """The operator may give the buyer of an ended deal money back."""


def possible(deal: Deal, side: Side, claim: ClaimView | None) -> Possible:
    """The buttons of the deal's page, and the ``possible`` of the API."""
    allowed = set(moves(deal.state, side))
    open_claim = claim is not None and claim.state in {"open", "answered"}
    if not open_claim:
        allowed -= {Move.ANSWER_CLAIM, Move.AGREE_CLAIM, Move.WITHDRAW_CLAIM, Move.ESCALATE}
    elif side is Side.BUYER and claim is not None and claim.offered is None:
        allowed.discard(Move.AGREE_CLAIM)
    if claim is not None and claim.state == "open" and now() < claim.escalate_from:
        allowed.discard(Move.ESCALATE)
    if deal.due_at is not None and now() < deal.due_at:
        allowed.discard(Move.GIVE_UP)
    if deal.disputed:  # two would refund what the buyer's bank may take, one invites the buyer to fetch the goods
        allowed -= {Move.CANCEL, Move.GIVE_UP, Move.MAKE_READY}
    unpaid = Move.PAY in moves(deal.state, Side.STRIPE)
    return Possible(
        pay=side is Side.BUYER and unpaid and deal.due_at is not None and now() < deal.due_at,
        moves=frozenset(allowed),
        answer=Move.ANSWER_CLAIM in allowed,
        take_offer=open_claim and side is Side.BUYER and Move.AGREE_CLAIM in allowed,
        refund=side is Side.OPERATOR and not deal.disputed and deal.state in {State.SETTLED, State.PARTLY_REFUNDED},
    )


def claimed_lines(form: Mapping[str, str], sold: Iterable[Sold]) -> list[Claimed]:
    """The lines of a claim form: for every line sold its units missing, damaged and wrong, and the loss of the latter.

    Empty fields claim nothing. Raises NothingClaimed, LossOutOfRange.
    """
    found = []
    for line in sold:
        for reason in Reason:
            units = form.get(f"{reason.value}-{line.key}", "").strip()
            if not units or units == "0":
                continue
            if not units.isascii() or not units.isdigit() or len(units) > 9:
                raise NothingClaimed(field=f"{reason.value}-{line.key}")
            loss = "100" if reason is Reason.MISSING else form.get(f"loss-{line.key}", "").strip() or "100"
            if not loss.isascii() or not loss.isdigit() or len(loss) > 3:
                raise LossOutOfRange(field=f"loss-{line.key}")
            found.append(Claimed(line.key, reason, int(units), int(loss)))
    return found


def answered_percents(form: Mapping[str, str], claim: ClaimView | None) -> dict[UUID, int]:
    """The seller's percentages by the id of the claim's line; with ``contest``, none of anything.

    Raises PercentOutOfRange for what is no whole percentage.
    """
    found = {}
    for line in claim.lines if claim else []:
        said = "0" if form.get("contest") else form.get(f"percent-{line.id}", "").strip() or "0"
        if not said.isascii() or not said.isdigit() or len(said) > 3:
            raise PercentOutOfRange(field=f"percent-{line.id}", line=line.label, most=line.loss_percent)
        found[line.id] = int(said)
    return found
