"""One frozen model, read once from the environment. Nothing else in the exchange reads ``os.environ``."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting by its environment variable (the field's name in capitals)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_file=None)

    database_url: str = "postgresql://postgres@127.0.0.1/exchange"
    """PostgreSQL ≥ 18. `exchange serve` starts an embedded one and sets this for its children."""
    database_replica_urls: tuple[str, ...] = ()
    database_pool_size: int = Field(default=8, ge=1, le=100)
    """Connections a web or job process keeps."""

    data_dir: Path = Path(".confrere")
    """Where the embedded server, the secret and the sandbox keep their state."""
    base_url: str = "http://127.0.0.1:8000"
    """The address people use; https here makes cookies Secure."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of our own proxies, whose `X-Forwarded-For` and `-Proto` are believed. Unset: nobody's."""
    api_requests_per_minute: int = Field(default=600, ge=1)
    """Of one person or, without a token, one address, by each web process."""
    secret_key: SecretStr = SecretStr("only-for-tests-and-tools-0123456789abcdef")
    """Signs cookies and CSRF tokens and derives pseudonyms. `exchange serve` generates one into the data directory."""
    mode: Literal["demo", "serve", "test"] = "test"
    """`demo` shows the outbox page; `serve` does not."""

    stripe_secret_key: SecretStr | None = None
    """Unset: the sandbox. `sk_live_…` needs `STRIPE_ALLOW_LIVE=1` besides."""
    stripe_webhook_secrets: tuple[SecretStr, ...] = ()
    """Of the platform's own endpoint, `/webhooks/stripe`; several while one is being rolled. Unset: it is off."""
    stripe_connect_webhook_secrets: tuple[SecretStr, ...] = ()
    """Of `/webhooks/stripe/connect`: snapshots of the sellers' accounts."""
    stripe_thin_webhook_secrets: tuple[SecretStr, ...] = ()
    """Of `/webhooks/stripe/v2`: thin events of the sellers' accounts."""
    stripe_api_base: str | None = None
    """Only for the sandbox: where it listens."""
    stripe_allow_live: bool = False
    commission_basis_points: int = Field(default=500, ge=0, le=5000)
    """The exchange's commission on a settled deal, in ten-thousandths of the price excluding VAT."""

    card_most: dict[str, int] = Field(default_factory=dict)
    """The largest card payment, in whole units by currency, as `{"EUR": 20000}`; where a bank transfer carries more."""
    sepa_most: int = Field(default=10_000, ge=0)
    """The largest SEPA direct debit in euros: Stripe's own limit unless it has raised it. 0: none is offered."""
    sepa_exposure: int = Field(default=20_000, ge=0)
    """Of one buyer's direct debits within the eight weeks in which its bank gives them back unasked, in euros."""
    sepa_hold_days: int = Field(default=14, ge=0, le=60)
    """How long after its arrival a new buyer's direct debit is held, whatever else has been decided."""

    exchange_country: str = "FR"
    """Where the exchange itself pays tax: decides the VAT on its commission."""
    exchange_name: str = ""
    """The exchange's own legal name, as invoices name it; with the five below. Unset: no invoice is written."""
    exchange_registration: str = ""
    exchange_vat: str = ""
    exchange_street: str = ""
    exchange_postcode: str = ""
    exchange_city: str = ""
    exchange_on_debits: bool = False
    """The exchange opted to pay VAT on its commission when it invoices."""

    platform_connector: str = ""
    """A connector to an approved invoicing platform, as `package.module:Class`
    (interface: `exchange/settlement/rules/platform.py`). Unset: sellers hand their papers over themselves."""
    rates_url: str = ""
    """Where the European Central Bank's reference rates are read on working days, say
    https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml. Unset: `exchange rates FILE` loads them."""

    smtp_url: SecretStr | None = None
    """`smtp://user:password@host:587` or `smtps://…:465`. Unset: mails stay in the outbox."""
    mail_from: str = "Confrère <bonjour@confrere.example>"

    upload_limit: int = 20 * 2**20
    """Bytes of a stock list or a photo."""

    @property
    def is_demo(self) -> bool:
        return self.mode == "demo"

    @property
    def is_secure(self) -> bool:
        return self.base_url.startswith("https://")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
