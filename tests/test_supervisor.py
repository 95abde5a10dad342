"""One instance holds one directory and one port; a stop leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import psutil
import pytest

from exchange import app
from exchange.supervisor import INSTANCE, ROOT, Asked, NothingRuns, Part, Supervisor, attach, free_port

HOST = "127.0.0.1"
PATIENCE = 60
"""Seconds a loaded machine may take: only a failure ever waits so long."""


def serve(folder: Path, port: int, **told: str) -> subprocess.Popen[bytes]:
    """`exchange serve`; ``told`` are settings, without them every part is its own."""
    ours = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "MODE", "STRIPE_SECRET_KEY")}
    command = [sys.executable, "-m", "exchange.cli", "serve", "--port", str(port), "--workers", "1"]
    return subprocess.Popen(
        [*command, "--data-dir", str(folder)], cwd=ROOT, env=ours | told,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=2):
                return
        except OSError:
            assert process.poll() is None, process.stdout and process.stdout.read().decode()
            time.sleep(0.1)
    raise AssertionError("the exchange did not answer")


@contextmanager
def empty_folder() -> Iterator[Path]:
    """Not under pytest's own folder: each run of pytest closes that to others, and PostgreSQL runs as another user."""
    with tempfile.TemporaryDirectory(prefix="confrere-test-") as folder:
        yield Path(folder) / "data"


pytestmark = pytest.mark.xdist_group("supervisor")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Empty for the first test, kept for the next."""
    with empty_folder() as empty:
        yield empty


def test_a_taken_port_is_refused_before_anything_starts(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        process = serve(folder, port := taken.getsockname()[1])
        told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert f"Port {port}" in told.decode()
    assert not (folder / "postgres").exists()


def test_it_serves_alone_survives_a_killed_part_and_stops_without_orphans(folder: Path) -> None:
    port = free_port(HOST)
    process = serve(folder, port)
    try:
        await_answer(process, port)
        assert json.loads((folder / INSTANCE).read_text())["DATABASE_URL"]
        assert oct((folder / INSTANCE).stat().st_mode & 0o777) == "0o600"

        second = serve(folder, free_port(HOST))
        told, _ = second.communicate(timeout=PATIENCE)
        assert second.returncode == 1
        assert f"process {process.pid}" in told.decode()

        family = psutil.Process(process.pid).children(recursive=True)
        worker = next(p for p in family if "worker" in p.cmdline())  # the last part to start; all are there by now
        web = next(p for p in family if "web" in p.cmdline() and p.ppid() == process.pid)
        serving = web.children()
        assert serving
        for killed in (worker, web):
            killed.kill()
            killed.wait(PATIENCE)
        _, left = psutil.wait_procs(serving, timeout=15)
        assert not left, "who served the web outlived the process that watched over it"
        deadline = time.monotonic() + PATIENCE
        while not any("worker" in p.cmdline() for p in psutil.Process(process.pid).children(recursive=True)):
            assert time.monotonic() < deadline, "the killed worker was not started again"
            time.sleep(0.1)
        await_answer(process, port)
        family = psutil.Process(process.pid).children(recursive=True)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT) * 50:  # a runner passes on what the terminal sent already
            process.send_signal(number)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive
    assert not (folder / INSTANCE).exists()


def test_a_killed_supervisor_takes_its_children_along(folder: Path) -> None:
    port = free_port(HOST)
    process = serve(folder, port)
    await_answer(process, port)
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=PATIENCE)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert not alive


@pytest.mark.parametrize("died", [True, False])
def test_a_web_process_whose_server_died_while_it_was_importing_ends_itself(
    monkeypatch: pytest.MonkeyPatch, died: bool
) -> None:
    server = SimpleNamespace(pid=os.getppid() + died, is_alive=lambda: True)  # as a sibling forked later makes it seem
    monkeypatch.setattr(app, "die_with_parent", lambda _: None)
    monkeypatch.setattr(app, "parent_process", lambda: server)
    monkeypatch.setattr(app, "prepared", object)
    with pytest.raises(SystemExit) if died else nullcontext():
        app.served()


def test_what_a_killed_supervisor_left_behind_is_nothing_to_work_beside(tmp_path: Path) -> None:
    (tmp_path / INSTANCE).write_text('{"DATABASE_URL": "postgresql://gone"}')
    (tmp_path / "lock").write_text("1")
    with pytest.raises(NothingRuns):
        attach(tmp_path)


COMMAND = """
import os, pathlib, sys, time
pathlib.Path("pid.part").write_text(str(os.getpid()))
pathlib.Path("pid.part").rename("pid")
until = time.monotonic() + 10
while sys.argv[1] == "long" or not pathlib.Path("tables").exists():
    time.sleep(0.01)
    if time.monotonic() > until:
        sys.exit(5)
if sys.argv[1] == "fail":
    sys.exit(3)
pathlib.Path("market").touch()
"""
"""Stands for the command line: begins, waits for what is made meanwhile (``long``: for ever), then does its work."""


class TestACommandBesideOtherWork:
    @pytest.fixture
    def beside(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
        (tmp_path / "exchange").mkdir()
        (tmp_path / "exchange" / "__init__.py").touch()
        (tmp_path / "exchange" / "cli.py").write_text(COMMAND)
        monkeypatch.setattr("exchange.supervisor.ROOT", tmp_path)
        return Supervisor(data_dir=tmp_path, host=HOST, port=0, workers=1, mode="demo", say=print)

    def test_it_begins_before_the_work_and_has_ended_after_it(self, beside: Supervisor) -> None:
        with beside._meanwhile("seed"):
            running = self._begun(beside)
            (beside.data_dir / "tables").touch()
        assert (beside.data_dir / "market").exists()
        assert not psutil.pid_exists(running)

    def test_its_failure_is_told(self, beside: Supervisor) -> None:
        with pytest.raises(subprocess.CalledProcessError, match="exchange fail"), beside._meanwhile("fail"):
            (beside.data_dir / "tables").touch()

    def test_nothing_of_it_outlives_work_that_failed(self, beside: Supervisor) -> None:
        with pytest.raises(ZeroDivisionError), beside._meanwhile("long"):
            running = self._begun(beside)
            _ = 1 / 0
        assert not psutil.pid_exists(running)

    def test_a_stop_interrupts_it_and_is_no_failure(self, beside: Supervisor) -> None:
        with beside._meanwhile("long"):
            running = self._begun(beside)
            beside.stopping.set()
        assert not psutil.pid_exists(running)

    def test_a_market_is_laid_out_while_the_tables_are_made_and_before_people_come(
        self, beside: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def make_tables(_: str) -> None:
            self._begun(beside)
            (beside.data_dir / "tables").touch()

        monkeypatch.setattr(signal, "signal", lambda *_: None)
        monkeypatch.setattr(beside, "_choose_sandbox", lambda: False)
        monkeypatch.setattr(beside, "_start", lambda *_, **__: Mock())
        monkeypatch.setattr(beside, "command", make_tables)
        for part in ("_choose_database", "_start_database", "_tell_instance", "_await_health", "_watch"):
            monkeypatch.setattr(beside, part, lambda: None)
        laid_out: list[bool] = []
        beside.run(filled_by="seed", ready=lambda: laid_out.append((beside.data_dir / "market").exists()))
        assert laid_out == [True]

    def _begun(self, beside: Supervisor) -> int:
        deadline = time.monotonic() + 10
        while not (told := beside.data_dir / "pid").exists():
            assert time.monotonic() < deadline, "it waits for the work it should run beside"
            time.sleep(0.01)
        return int(told.read_text())


def test_a_stop_asked_for_many_times_at_once_is_heard() -> None:
    asked = Asked()
    before = signal.signal(signal.SIGALRM, lambda *_: asked.set())
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.0001)
    try:
        assert not asked.wait(0)
        for _ in range(3000):
            asked.wait(0.0001)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert asked.is_set()


def test_a_part_that_is_held_begins_when_told_and_at_once_when_it_is_started_again(tmp_path: Path) -> None:
    waits = "import sys; print('loaded', flush=True); sys.stdin.read(); print('begun')"
    part = Part("part", [sys.executable, "-c", waits], dict(os.environ), tmp_path / "log")
    part.start(held=True)
    assert part.process is not None
    while not part.log.read_text():
        assert part.is_running
        time.sleep(0.01)
    assert part.log.read_text() == "loaded\n"
    part.begin()
    assert part.process.wait(10) == 0
    part.start()
    assert part.process.wait(10) == 0
    assert part.log.read_text() == "loaded\nbegun\n" * 2
