"""Who a token acts for, and for which company, as JSON. Tokens, teams and blocks are managed on pages only."""

from datetime import time
from typing import Any
from uuid import UUID

from litestar import Request, Router, get
from pydantic import BaseModel, ConfigDict, Field

from exchange.accounts.queries import account_of
from exchange.actor import Role
from exchange.companies import queries
from exchange.companies.rules import Vetting
from exchange.web.guards import member, signed_in, viewer_of
from exchange.web.viewer import Viewer

Call = Request[Viewer | None, Any, Any]


class Me(BaseModel):
    """The person the token acts for."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "5f0c0f2e-6a52-4a0e-9d43-0c9a4f1f7d11",
                "name": "Camille Le Goff",
                "email": "camille@example.org",
                "role": "owner",
                "language": "fr",
                "zone": "Europe/Paris",
                "company_id": "0b6c9ad5-8a4a-4f0b-8a44-3f1c1f4f2c77",
            }
        }
    )

    id: UUID
    name: str
    email: str
    role: Role
    language: str
    zone: str = Field(description="IANA time zone")
    company_id: UUID | None = Field(description="null for the operator")


class Hours(BaseModel):
    """When a company works; public holidays of its country are left out."""

    zone: str
    opens: time
    closes: time
    days: list[int] = Field(description="0 = Monday")


class OwnCompany(BaseModel):
    """The company the token acts for: nobody else's is ever told here."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "0b6c9ad5-8a4a-4f0b-8a44-3f1c1f4f2c77",
                "legal_name": "Le Goff Cycles SARL",
                "trading_name": "Cycles Le Goff",
                "country": "FR",
                "region": "Bretagne",
                "registration": "732829320",
                "vat": "FR44732829320",
                "currency": "EUR",
                "vetting": "vetted",
                "working_hours": {"zone": "Europe/Paris", "opens": "09:00", "closes": "16:00", "days": [0, 1, 2, 3, 4]},
            }
        }
    )

    id: UUID
    legal_name: str
    trading_name: str
    country: str = Field(description="ISO 3166-1 alpha-2")
    region: str
    registration: str
    vat: str | None
    currency: str = Field(description="ISO 4217")
    vetting: Vetting
    working_hours: Hours


@get("/me", guards=[signed_in])
async def me(request: Call) -> Me:
    """Who this token acts for."""
    viewer = viewer_of(request)
    own = await account_of(viewer.actor)
    return Me(
        id=own.id,
        name=own.name,
        email=own.email,
        role=viewer.role,
        language=own.language,
        zone=own.zone,
        company_id=viewer.actor.company_id,
    )


@get("/company", guards=[member])
async def company(request: Call) -> OwnCompany:
    """The company this token acts for."""
    own = await queries.company_of(viewer_of(request).actor)
    hours = own.hours
    return OwnCompany(
        id=own.id,
        legal_name=own.legal_name,
        trading_name=own.trading_name,
        country=own.country,
        region=own.region,
        registration=own.registration,
        vat=own.vat,
        currency=own.currency,
        vetting=own.vetting,
        working_hours=Hours(zone=hours.zone, opens=hours.opens, closes=hours.closes, days=sorted(hours.days)),
    )


router = Router("/", route_handlers=[me, company], tags=["account"])
