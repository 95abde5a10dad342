"""Settlement: from an agreement to money in the seller's account, and every cent between.

Words
    deal          what two companies agreed, on its way to *settled*; one per agreement
    obligation    what one buyer owes for a deal: amount frozen, one live payment at a time
    payment       one attempt to pay an obligation through the payment service's hosted page
    held          paid by the buyer, kept at the payment service until receipt; on the platform's balance
    leg           one receiver's part of a deal's money; a leg whose receiver cannot be paid yet is *parked*
    operation     one intended write at Stripe: a row first, a call second; its id is the idempotency key
    posting       a balanced group of ledger entries: the only way a figure of money comes to be

Promises
    Nothing is paid, refunded or transferred twice; the database refuses a second posting of one fact.
    The ledger is append-only and every posting sums to zero per currency; both are enforced by triggers.
    Held money of a deal is never negative, and zero once the deal is closed.
    Stripe is never called while a transaction is open; only ``stripe_gateway`` imports the library.
    An event of Stripe's is a hint: the current object is retrieved before anything is believed.
"""
