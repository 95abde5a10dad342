"""People, their sessions, links and tokens, and every mail written.

Secrets are stored as SHA-256 digests (``*_hash``): they are 256 random bits, so no salt or slow hash is needed.
"""

from piccolo.columns import UUID, Boolean, Bytea, ForeignKey, OnDelete, Text, Timestamptz, Varchar
from piccolo.constraints import Check
from piccolo.table import Table


class Person(Table, tablename="person"):
    """Somebody who can sign in, unless ``password_hash`` is null: a person who left, or one of the seed's crowd."""

    id = UUID(primary_key=True)
    email = Varchar(length=254, null=False, unique=True)
    """``citext`` in the database (raw migration): compared without case, kept as typed."""
    name = Varchar(length=120, null=False)
    password_hash = Varchar(length=255, null=True, default=None, secret=True)
    language = Varchar(length=2, null=False, default="en")
    zone = Varchar(length=64, null=False, default="Europe/Paris")
    is_operator = Boolean(null=False, default=False)
    created_at = Timestamptz(null=False)
    confirmed_at = Timestamptz(null=True, default=None)
    """When the person proved the address; nobody signs in before."""
    left_at = Timestamptz(null=True, default=None)
    """When the person left their company: the account is closed until the address is used to join again."""

    spoken = Check("language in ('en', 'fr')")


class Session(Table, tablename="session"):
    """One browser, signed in until it is revoked, or left alone too long (``rules.SESSION_IDLE``, ``SESSION_LIFE``)."""

    id = UUID(primary_key=True)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict, index=True)
    token_hash = Bytea(null=False, unique=True, secret=True)
    created_at = Timestamptz(null=False)
    last_seen_at = Timestamptz(null=False)
    """At most some minutes behind (``rules.SEEN_EVERY``)."""
    revoked_at = Timestamptz(null=True, default=None)
    address = Varchar(length=45, null=False)
    agent = Varchar(length=300, null=False)


class MailLink(Table, tablename="mail_link"):
    """A link sent to a person's address, good for one use until ``expires_at``."""

    id = UUID(primary_key=True)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict, index=True)
    purpose = Varchar(length=12, null=False)
    token_hash = Bytea(null=False, unique=True, secret=True)
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    used_at = Timestamptz(null=True, default=None)

    known_purpose = Check("purpose in ('confirm', 'reset')")


class ApiToken(Table, tablename="api_token"):
    """A bearer token for programs; shown once, then only its label."""

    id = UUID(primary_key=True)
    person_id = ForeignKey(Person, null=False, on_delete=OnDelete.restrict, index=True)
    token_hash = Bytea(null=False, unique=True, secret=True)
    label = Varchar(length=80, null=False)
    created_at = Timestamptz(null=False)
    last_used_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class Mail(Table, tablename="mail"):
    """A mail the exchange wrote, sent or not. ``text`` of a secret mail is emptied once a mail server has taken it."""

    id = UUID(primary_key=True)
    person_id = ForeignKey(Person, null=True, default=None, on_delete=OnDelete.restrict)
    """Null for somebody invited who is no person here yet."""
    recipient = Varchar(length=254, null=False)
    recipient_name = Varchar(length=120, null=False)
    template = Varchar(length=60, null=False)
    subject = Varchar(length=200, null=False)
    text = Text(null=False)
    secret = Boolean(null=False, default=False)
    """Whether the text holds a link that signs in whoever reads it."""
    created_at = Timestamptz(null=False, index=True)
    due_at = Timestamptz(null=False)
    """When it may leave: at once for security, else within the recipient's working hours."""
    sent_at = Timestamptz(null=True, default=None)
    about = UUID(null=True, default=None)
    """What it tells of, where that is read again when the mail leaves."""
    unsubscribe = Text(null=False, default="")
    """Where one click ends mail of this sort (RFC 8058); blank for mail that nobody subscribed to."""
