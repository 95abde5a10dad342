"""Stripe's nouns, one a module: the parameters each call takes, what it does, the object it answers with.

Importing a module enters its routes in the register (``protocol.register``). Below the nouns that move money stand
``charges`` and ``balance``; ``payment_states`` is shared by ``cards``, ``sepa_debits`` and ``bank_transfers``, of which
``payment_intents`` picks one, and ``checkout_sessions`` follows it.
"""
