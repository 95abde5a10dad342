"""A part that is broken is named, with what is wrong and how to mend it."""

from pathlib import Path

import pytest

from exchange import doctor
from exchange.settings import Settings
from exchange.supervisor import free_port

HOST = "127.0.0.1"


async def found(part: str, monkeypatch: pytest.MonkeyPatch, told: Settings) -> doctor.Finding:
    monkeypatch.setattr(doctor, "settings", lambda: told)
    monkeypatch.setattr(doctor, "LOOKS", [pair for pair in doctor.LOOKS if pair[0] == part])
    (seen,) = [finding async for finding in doctor.examine()]
    return seen


async def test_a_file_of_secrets_that_others_may_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secrets.json"
    file.touch(mode=0o600)
    own = Settings(secret_key="k" * 40, data_dir=tmp_path)
    assert (await found("secrets", monkeypatch, own)).ok
    file.chmod(0o644)
    seen = await found("secrets", monkeypatch, own)
    assert (seen.ok, seen.told) == (False, f"others on this machine may read {file}")
    assert seen.mend == f"Run chmod 600 {file}."


async def test_a_website_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://{HOST}:{free_port(HOST)}"
    seen = await found("website", monkeypatch, Settings(base_url=url))
    assert (seen.ok, seen.told) == (False, f"{url}/ does not answer (ConnectError)")
