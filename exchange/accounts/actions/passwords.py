"""Argon2, off the event loop and two at a time: one hash takes 64 MiB and some fifty milliseconds."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pwdlib import PasswordHash

_argon2 = PasswordHash.recommended()
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


async def hash_password(password: str) -> str:
    """The hash to keep. Call it outside a transaction: it is slow on purpose."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _argon2.hash, password)


async def password_fits(password: str, kept: str | None) -> bool:
    """Whether ``password`` made ``kept``; takes the same time when there is none."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _fits, password, kept)


def _fits(password: str, kept: str | None) -> bool:
    fits = _argon2.verify(password[:1000], kept or _nobodys_hash())
    return fits and kept is not None


@cache
def _nobodys_hash() -> str:
    return _argon2.hash("nobody's password")
