"""Products and prices."""

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from exchange.sandbox.errors import malformed
from exchange.sandbox.protocol.parameters import Closed, Currency, Listed, Metadata, Params
from exchange.sandbox.protocol.register import readable, route, updatable
from exchange.sandbox.shapes import Doc, new_id
from exchange.sandbox.store import World


class ProductCreate(Params):
    id: str | None = None
    name: str = Field(min_length=1)
    active: bool = True
    description: str | None = None
    images: list[str] = []
    metadata: Metadata = {}
    shippable: bool | None = None
    statement_descriptor: str | None = None
    tax_code: str | None = None
    unit_label: str | None = None
    url: str | None = None


class ProductUpdate(Params):
    active: bool = True
    description: str = ""
    metadata: Metadata = {}
    name: str = ""


class ProductList(Listed):
    active: bool | None = None


class PriceProduct(Closed):
    name: str
    active: bool = True
    metadata: Metadata = {}
    statement_descriptor: str | None = None
    tax_code: str | None = None
    unit_label: str | None = None


class PriceCreate(Params):
    currency: Currency
    active: bool = True
    lookup_key: str | None = None
    metadata: Metadata = {}
    nickname: str | None = None
    product: str | None = None
    product_data: PriceProduct | None = None
    tax_behavior: Literal["exclusive", "inclusive", "unspecified"] = "unspecified"
    unit_amount: int | None = Field(None, ge=0)
    unit_amount_decimal: Decimal | None = None


class PriceUpdate(Params):
    active: bool = True
    metadata: Metadata = {}
    nickname: str = ""


class PriceList(Listed):
    product: str | None = None
    currency: str | None = None
    active: bool | None = None


@route("POST", "/v1/products", ProductCreate, depth="simplified", note="no packages, marketing features or tax details")
async def create_product(world: World, params: ProductCreate) -> Doc:
    return await new_product(world, params.name, **params.model_dump(exclude={"expand", "name"}, exclude_unset=True))


async def new_product(world: World, name: str, **fields: Any) -> Doc:
    product: Doc = {
        "id": new_id("prod"),
        "object": "product",
        "active": True,
        "created": world.now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": world.now,
        "url": None,
    } | fields
    await world.add(product)
    await world.emit("product.created", product)
    return product


@route("POST", "/v1/prices", PriceCreate, depth="simplified", note="one-time prices per unit only")
async def create_price(world: World, params: PriceCreate) -> Doc:
    if (params.product is None) == (params.product_data is None):
        raise malformed("You must specify either product or product_data.", "parameter_missing", "product")
    unit = unit_amount(params.unit_amount, params.unit_amount_decimal)
    if params.product_data:
        product = await new_product(world, **params.product_data.model_dump(exclude_unset=True))
    else:
        product = await world.get(params.product or "", "product", param="product")
    fields = params.model_dump(include={"active", "lookup_key", "metadata", "nickname", "tax_behavior"})
    price = await new_price(world, product["id"], params.currency, unit, **fields)
    await world.emit("price.created", price)
    return price


def unit_amount(unit: int | None, decimal: Decimal | None) -> int:
    if unit is not None:
        return unit
    if decimal is None:
        raise malformed("Missing required param: unit_amount.", "parameter_missing", "unit_amount")
    if decimal != int(decimal):
        raise malformed("The sandbox takes whole minor units only.", "parameter_invalid_integer", "unit_amount_decimal")
    return int(decimal)


async def new_price(world: World, product: str, currency: str, unit: int, **fields: Any) -> Doc:
    price: Doc = {
        "id": new_id("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": world.now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": unit,
        "unit_amount_decimal": str(unit),
    } | fields
    return await world.add(price)


readable("/v1/products", "product", ProductList)

updatable("/v1/products", "product", ProductUpdate, "product.updated")

readable("/v1/prices", "price", PriceList)

updatable("/v1/prices", "price", PriceUpdate, "price.updated")
