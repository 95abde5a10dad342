"""Introductions."""

from piccolo.columns import UUID, Boolean, ForeignKey, OnDelete, Text, Timestamptz, Varchar
from piccolo.constraints import Check
from piccolo.table import Table

from exchange.accounts.tables import Person
from exchange.companies.tables import Company
from exchange.introductions.rules import State
from exchange.listings.tables import Lot


class Introduction(Table, tablename="introduction"):
    """One first contact, about one lot, to its masked seller."""

    id = UUID(primary_key=True)
    lot_id = ForeignKey(Lot, null=False, on_delete=OnDelete.restrict, index=True)
    sender_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    sender_person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict)
    recipient_company_id = ForeignKey(Company, null=False, on_delete=OnDelete.restrict)
    gives_name = Boolean(null=False, default=False)
    """Whether the sender shows their name at once."""
    who_i_am = Text(null=False)
    what_i_do = Text(null=False)
    how_i_heard = Text(null=False)
    my_idea = Text(null=False)
    when_to_reach_me = Text(null=False)
    state = Varchar(length=8, null=False, default=State.SENT.value)
    held = Boolean(null=False, default=False)
    """Never delivered, and the sender is not told: see ``rules.is_held``."""
    sent_at = Timestamptz(null=False)
    delivered_at = Timestamptz(null=False)
    """The recipient's next opening; before it they see nothing."""
    closes_at = Timestamptz(null=False)
    answered_at = Timestamptz(null=True, default=None)
    answered_by = ForeignKey(Person, null=True, default=None, on_delete=OnDelete.restrict)

    introduction_known_state = Check("state in ('sent', 'accepted', 'declined', 'blocked', 'closed')")
    not_to_oneself = Check("sender_company_id <> recipient_company_id")
