"""The machine beside the worker: a process of its own that writes, checks and sets invoices, and ends when idle.

Saxon and its compiled rules take some 200 MB; a worker that keeps them for the rare invoice would be the largest part
of an idle exchange. So they live in a process that is started for the first invoice and let go soon after the last.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from typing import Any, Protocol

from exchange.embedded import die_with_parent
from exchange.settlement.press.sheets import Sheet, of_invoice
from exchange.settlement.rules.factur_x import fields
from exchange.settlement.rules.invoices import Invoice

IDLE = 20.0
"""Seconds after which the process is let go."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """An invoice ready to be issued, or what the checks found wrong with it."""

    pdf: bytes
    xml: bytes
    faults: tuple[str, ...] = ()


class Press(Protocol):
    """Makes an invoice. Raises NoMention."""

    async def invoice(self, invoice: Invoice, at: datetime) -> Pressed: ...


class Machine:
    """The press in its own process."""

    def __init__(self) -> None:
        self._process: ProcessPoolExecutor | None = None
        self._at_work = 0
        self._rest: asyncio.TimerHandle | None = None

    async def invoice(self, invoice: Invoice, at: datetime) -> Pressed:
        words, sheet = fields(invoice), of_invoice(invoice, at)
        loop = asyncio.get_running_loop()
        if self._rest is not None:
            self._rest.cancel()
        if self._process is None:
            self._process = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin)
        self._at_work += 1
        try:
            return await loop.run_in_executor(
                self._process, make, words, sheet, invoice.supplier.is_french, invoice.supplier.name
            )
        finally:
            self._at_work -= 1
            if not self._at_work:
                self._rest = loop.call_later(IDLE, self._let_go)

    def _let_go(self) -> None:
        if self._process is not None and not self._at_work:
            self._process.shutdown(wait=False)
            self._process = None


def make(words: Mapping[str, Any], sheet: Sheet, french: bool, author: str) -> Pressed:
    """What the process does with one invoice: XML, all checks, page, and the one inside the other."""
    from exchange.settlement.press import facturx
    from exchange.settlement.press.setting import set_sheet

    xml = facturx.write_xml(words)
    if faults := facturx.faults(xml, french=french):
        return Pressed(b"", xml, tuple(faults))
    pdf = facturx.embed(set_sheet(sheet), xml, title=sheet.title, author=author, language=sheet.language)
    return Pressed(pdf, xml)


def _begin() -> None:
    """Nobody waits for an invoice: it gives way to whoever looks at a page."""
    die_with_parent(signal.SIGKILL)
    os.nice(10)


_press: Press | None = None


def press() -> Press:
    """The press of this process."""
    global _press
    if _press is None:
        _press = Machine()
    return _press


def use(other: Press | None) -> None:
    """Put ``other`` in its place: for tests; ``None`` forgets it."""
    global _press
    _press = other
