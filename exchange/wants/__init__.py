"""Wants: what a company says once that it knows how to sell, and the lots that answer it.

A *want* is standing demand on file; a *match* is a lot that meets it. Promises: a buyer is told of matches in one
digest, in their working hours; a seller learns at most a band of how many wants a lot meets, never whose; a lot hidden
from a company never matches its wants (guide/domain.md §4).
"""
