"""What a reader of Stripe's reference might look for here in vain. Parts of a call left out stand beside its route."""

from exchange.sandbox.protocol.register import absent

absent("/v1/setup_intents", "saving a payment method for later, mandates")
absent("/v1/subscriptions", "subscriptions and everything that recurs")
absent("/v1/invoices", "invoices, credit notes, quotes")
absent("/v1/coupons", "coupons, promotion codes, discounts")
absent("/v1/tax_rates", "tax rates, tax calculation, tax ids")
absent("/v1/shipping_rates", "shipping rates")
absent("/v1/payment_links", "payment links")
absent("/v1/application_fees", "application fees: the platform transfers less than it was paid instead")
absent("/v1/file_links", "links to files")
absent("/v1/reporting", "reports, Sigma")
absent("/v1/radar", "Radar rules and lists; early fraud warnings come as events only, from the controls")
absent("/v1/reviews", "reviews")
absent("/v1/issuing", "issuing, treasury, terminal")
absent("/v1/identity", "identity checks")
absent("/v1/test_helpers/test_clocks", "Stripe's own test clocks: the clock of the controls moves everything")
absent("/v2/billing", "meters and billing v2")
absent("/v2/money_management", "financial accounts, outbound payments")
