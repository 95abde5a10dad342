"""What is true of settlement: pure values and functions, one noun per module.

deal       the deal's states, who may move it, its clocks
clocks     when a clock runs out, and what it does then
amounts    price, tax, commission, legs, refunds and reversals, to the cent
vat        which VAT a trade carries
books      ledger accounts and the postings each fact makes
fec        the ledger as an accountant takes it in
payments   a payment attempt and what a retrieved session proves about it
methods    by which ways a sum can be paid
accounts   where a company's money goes, and how that changes
claims     what a claim is worth
evidence   photos of a delivery
receivers  how a seller orders its money to be shared out
standing   strikes, suspension, what a record comes to
timeline   what happens next, by whom, until when
alarms     what a person must look at, in words
rebuttals  what answers a disputed payment
drift      our books beside Stripe's balance transactions
papers     which papers a deal owes
invoices   an invoice or a credit note, its sums and mentions
mentions   what the law wants written on an invoice
rates      tax in the supplier's own currency: at which rate, of which day
factur_x   an invoice in the words of EN 16931
platform   what an approved platform is to the exchange
dac7       what a platform reports of its sellers once a year
"""
