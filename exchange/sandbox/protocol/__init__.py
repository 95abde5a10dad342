"""Stripe's protocol: the register of routes, keys, versions, parameters, idempotency, paging, expansion, errors.

Every endpoint is a function ``(world, params, *path ids) -> object`` in the register; ``calls`` does the rest, the same
way for each.
"""
