"""Stripe's own CLI drives the sandbox, and each of its triggers leaves what it would leave at Stripe."""

from pathlib import Path

import pytest

from tests.sandbox import stripe_cli
from tests.sandbox.conftest import Sandbox


@pytest.mark.skipif(stripe_cli.found() is None, reason="no Stripe CLI: set STRIPE_CLI, or `stripe` on the PATH")
async def test_every_trigger_of_stripes_cli_leaves_its_events_and_its_state(sandbox: Sandbox, tmp_path: Path) -> None:
    cli = stripe_cli.found()
    assert cli
    results = [await stripe_cli.pull(cli, tmp_path, sandbox, trigger) for trigger in stripe_cli.MATRIX]
    assert {result.trigger.name: result.faults for result in results if result.faults} == {}
