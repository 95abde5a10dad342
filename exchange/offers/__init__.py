"""Negotiation: offer, counter, agreement.

A *talk* (in the API: a negotiation) is what one buyer and one seller say about one lot. A *move* is an offer of the
buyer or a counter-offer of the seller: quantity, unit price without VAT, incoterm, message. The live move waits for
the other side's answer; when its clock runs out it expires.

Promises: nothing is sold twice (the quantity is reserved in the transaction that agrees, under the lot's row lock);
both sides stay masked until they agree; nobody accepts anything but the price and the quantity they name. The fourteen
rules of guide/domain.md §6 are in ``rules``.
"""
