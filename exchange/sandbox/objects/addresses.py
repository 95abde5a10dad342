"""Addresses, as customers, payment methods and payments carry them."""

from exchange.sandbox.protocol.parameters import Closed


class Address(Closed):
    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None


class Shipping(Closed):
    address: Address
    name: str
    carrier: str | None = None
    phone: str | None = None
    tracking_number: str | None = None
