"""What the sandbox needs to know to start; read from ``EXCHANGE_SANDBOX_*`` unless handed over."""

import ipaddress
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: The one version of the protocol the sandbox speaks by default: accounts, endpoints and events are pinned to it.
PINNED_VERSION = "2026-10-28.endive"

#: Versions whose requests and responses the sandbox can tell apart; anything else is refused.
KNOWN_VERSIONS = ("2026-05-27.dahlia", "2026-08-26.dahlia", PINNED_VERSION)


class Webhook(BaseModel):
    """An endpoint registered at start, as a merchant would have done in the Dashboard.

    ``platform`` gets the platform's own events, ``connect`` those of connected accounts (both snapshots), ``thin`` the
    v2 events.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    secret: str
    kind: Literal["platform", "connect", "thin"] = "platform"


class SandboxSettings(BaseSettings):
    """Everything the sandbox can be told. Environment: ``EXCHANGE_SANDBOX_DATABASE_URL`` and so on."""

    model_config = SettingsConfigDict(env_prefix="EXCHANGE_SANDBOX_", frozen=True)

    database_url: str
    secret_key: str
    host: str = "127.0.0.1"
    port: int = 8901
    public_url: str = ""
    webhooks: tuple[Webhook, ...] = ()
    #: Seconds of the real clock between the tries of a webhook; Stripe waits hours, a demo cannot.
    retry_seconds: tuple[float, ...] = (1, 5, 30, 120, 600)
    #: Seconds of the virtual clock until a charge gets its balance transaction.
    settle_seconds: int = 2
    #: Real seconds between two looks at what the virtual clock has made due.
    tick_seconds: float = 0.5

    @field_validator("secret_key")
    @classmethod
    def _only_test_keys(cls, key: str) -> str:
        if not key.startswith("sk_test_"):
            raise ValueError("the sandbox takes keys beginning with sk_test_ only: a real key must never come near it")
        return key

    @field_validator("host")
    @classmethod
    def _only_loopback(cls, host: str) -> str:
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the sandbox binds to a loopback address only: it holds no real money and guards nothing")
        return host

    @model_validator(mode="after")
    def _own_address(self) -> Self:
        if not self.public_url:
            object.__setattr__(self, "public_url", f"http://{self.host}:{self.port}")
        return self
