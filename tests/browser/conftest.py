"""A whole exchange in its own processes, and a real browser.

Chromium is the system's, or what ``CHROMIUM`` names. Without one the tests are skipped, saying so; with ``CI`` set that
is a failure.
"""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from exchange.supervisor import INSTANCE, free_port
from tests.conftest import fresh_database
from tests.test_supervisor import HOST, PATIENCE, await_answer, empty_folder, serve

LEFT_OUT = [
    # Chromium draws its address bar, which nobody sees here, with pages of its own: a third of all it does
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "PreloadTopChromeWebUI",
    # what Playwright leaves out with a list that this one replaces, as far as it concerns our pages
    "AvoidUnnecessaryBeforeUnloadCheckSync", "HttpsUpgrades", "MediaRouter", "OptimizationHints", "PaintHolding",
]  # fmt: skip
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync",
    f"--disable-features={','.join(LEFT_OUT)}",
]  # fmt: skip
expect.set_options(timeout=15_000)  # a loaded machine is slow, not wrong
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""Programs looked for, the lightest first: the shell is the same browser without windows, for 40 % of the work."""
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


@dataclass(frozen=True)
class Instance:
    """A running exchange: where people and where tests reach it."""

    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What its processes were given: the database's address among it."""
        given: dict[str, str] = json.loads((self.folder / INSTANCE).read_text())
        return given


@pytest.fixture(scope="package")
def running() -> Iterator[Instance]:
    """`exchange serve` on an empty directory, with a database of ours: the supervisor's tests let it make its own."""
    with empty_folder() as folder:
        yield from _running(folder)


def _running(folder: Path) -> Iterator[Instance]:
    process = serve(folder, port := free_port(HOST), DATABASE_URL=fresh_database(f"browser_{os.getpid()}"))
    try:
        await_answer(process, port)
        yield Instance(f"http://{HOST}:{port}", folder)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker of pytest-xdist visits all pages, with one running exchange."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def browser(running: Instance) -> Iterator[Browser]:
    """Headless Chromium, for this folder only: Playwright's loop runs in the main thread, where others want theirs.

    It begins after the exchange, whose making of a database wants that loop.
    """
    if not CHROMIUM:
        if os.environ.get("CI"):
            pytest.fail("no Chromium on this machine, and CI insists on one")
        pytest.skip("no Chromium found: install one, or name it with CHROMIUM=/path")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, running: Instance) -> Iterator[object]:
    """``visit("fr")`` is one person's browser, in French."""
    contexts: list[BrowserContext] = []

    def enter(language: str, width: int = 1280) -> BrowserContext:
        context = browser.new_context(
            base_url=running.url,
            locale={"fr": "fr-FR", "en": "en-GB"}[language],
            viewport={"width": width, "height": 900},
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context

    yield enter
    for context in contexts:
        context.close()
