"""Every write of settlement, by noun.

moves        a deal enters a state
deals        the two sides, the operator and the clocks move a deal
payments     a buyer pays; what Stripe says of it is taken over
cash         bank transfers that do not fit: short, over, late
customers    a buyer as the payment service knows it
thresholds   a lot sold only if enough of it is paid: counted, decided once
release      a deal's money is shared out: transfers, commission
refunds      money on its way back to a buyer, and back again
closing      the end of a deal, and open again
recourse     money comes back after it was shared out
disputes     a buyer's bank takes a payment back, or asks
rebuttals    a dispute is answered, once
warnings     the card network takes a payment for fraud
sellers      a seller opens the account its money goes to
payouts      from a seller's account on to its bank
receiving    a seller is to be paid on another account
papers       invoices and credit notes are written, gaplessly numbered
rates        the central bank's reference rates are taken in
invoicing    what a company tells of itself for them, and its mandate
handover     on their way to an approved platform
claims       what is not right with a delivery
evidence     photos of a delivery
receivers    who else a seller's money goes to
standing     strikes, suspension, appeal
ledger       the one way a figure of money comes to be
notices      who is told of what
waiting      the operator is called about money that waits, until it does not
operations   every intended write at Stripe: planned, sent, done
events       the inbox of Stripe's news
reconcile    the polls and the daily money match
"""
