"""What is true of settlement: pure values and functions, one noun per module.

deal       the deal's states, who may move it, its clocks
clocks     when a clock runs out, and what it does then
amounts    price, tax, commission, legs, refunds and reversals, to the cent
vat        which VAT a trade carries
fec        the ledger as an accountant takes it in
books      ledger accounts and the postings each fact makes
payments   a payment attempt and what a retrieved session proves about it
claims     what a claim is worth
evidence   photos of a delivery
receivers  how a seller orders its money to be shared out
standing   strikes, suspension, what a record comes to
timeline   what happens next, by whom, until when
drift      our books beside Stripe's balance transactions
"""
