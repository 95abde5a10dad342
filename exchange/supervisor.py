"""Starts, watches and stops the processes of one running exchange: what `exchange serve` and `exchange demo` do.

    supervisor ─┬─ PostgreSQL          unless DATABASE_URL is set
                ├─ Stripe sandbox      unless STRIPE_SECRET_KEY is set
                ├─ job worker
                └─ web server ── web workers

One instance holds one data directory. A process that dies is started again; a stop ends them in reverse order. Every
child dies with the supervisor (Linux), so that not even SIGKILL leaves an orphan.
"""

import fcntl
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

import platformdirs

from exchange.embedded import EmbeddedServer, ServerBusy, ServerFailed, die_with_parent
from exchange.errors import N_, Conflict, Unavailable

WEBHOOKS = {
    "platform": ("STRIPE_WEBHOOK_SECRETS", "/webhooks/stripe"),
    "connect": ("STRIPE_CONNECT_WEBHOOK_SECRETS", "/webhooks/stripe/connect"),
    "thin": ("STRIPE_THIN_WEBHOOK_SECRETS", "/webhooks/stripe/v2"),
}
"""Kinds of Stripe's news: the setting that holds the signing secrets, and where it arrives."""
PLAYED_EXCHANGE = {
    "EXCHANGE_NAME": "Confrère (démonstration)",
    "EXCHANGE_REGISTRATION": "000000000",
    "EXCHANGE_VAT": "FR00000000000",
    "EXCHANGE_STREET": "1 place de l’Exemple",
    "EXCHANGE_POSTCODE": "00000",
    "EXCHANGE_CITY": "Nulle-Part",
}
"""Who the demo's exchange is on its invoices: plainly nobody."""
ROOT = Path(__file__).resolve().parents[1]
INSTANCE = "instance.json"
"""In the data directory while an exchange runs there: the environment its processes got."""


class DirectoryHeld(Conflict):
    """Another instance works on the data directory."""

    message = N_(
        "Another instance (process %(pid)s) holds %(folder)s. Stop it first, or give --data-dir another folder."
    )


class PortTaken(Conflict):
    """Somebody listens on the port already."""

    message = N_("Port %(port)s on %(host)s is taken by another program. Choose one with --port.")


class NothingRuns(Conflict):
    """A command that works beside a running exchange found none."""

    message = N_(
        "No exchange runs on %(folder)s. Start one with `exchange serve` or `exchange demo`, name its folder with "
        "--data-dir, or set DATABASE_URL."
    )


class DidNotAnswer(Unavailable):
    """A part did not come up."""

    message = N_("%(part)s did not start in time. Its log is %(log)s.")


def default_data_dir(name: str) -> Path:
    """Where an exchange keeps its state: the user's data folder; for root /var/lib, so no home is opened to all."""
    if os.name != "nt" and os.geteuid() == 0:
        return Path("/var/lib/confrere") / name
    return platformdirs.user_data_path("confrere") / name


def attach(data_dir: Path | None) -> None:
    """Take over the settings of the exchange running on ``data_dir`` (default: the demo, else serve) for this process.

    A DATABASE_URL in the environment stands for itself. Raises NothingRuns.
    """
    if os.environ.get("DATABASE_URL") and data_dir is None:
        return
    folders = [data_dir.resolve()] if data_dir else [default_data_dir("demo"), default_data_dir("serve")]
    for folder in folders:
        if (folder / INSTANCE).exists() and _is_held(folder):
            os.environ.update(json.loads((folder / INSTANCE).read_text()))
            return
    raise NothingRuns(folder=", ".join(map(str, folders)))


def _is_held(folder: Path) -> bool:
    """Whether a supervisor lives on ``folder``: what a killed one left there leads to a database that is gone."""
    with (folder / "lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class Asked:
    """A flag that a signal's handler may raise, also twice at once.

    ``threading.Event`` may not be: its lock is the one the interrupted wait holds, and Ctrl-C under a runner that
    passes the signal on is two signals.
    """

    def __init__(self) -> None:
        self._raised = False
        self._end, self._begin = os.pipe()
        os.set_blocking(self._begin, False)

    def set(self) -> None:
        if not self._raised:
            self._raised = True
            os.write(self._begin, b".")

    def is_set(self) -> bool:
        return self._raised

    def wait(self, seconds: float) -> bool:
        """Whether it was raised, waiting at most so long for it."""
        select.select([self._end], [], [], seconds)
        return self._raised


@dataclass
class Part:
    """A child process and how to start it again."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    starts: list[float] = field(default_factory=list)

    def start(self, *, held: bool = False) -> None:
        """``held``: it loads what it needs, and begins when told."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=ROOT, stdin=subprocess.PIPE if held else subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=_child,
            )  # fmt: skip
        self.starts.append(time.monotonic())

    def begin(self) -> None:
        """Let go on what was held."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, patience: float = 10) -> None:
        if self.process is not None and self.process.poll() is None:
            _end(self.process, patience)


def _end(process: "subprocess.Popen[bytes]", patience: float = 10) -> None:
    """Ask the process to end, and after ``patience`` seconds kill it with all it began."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def _child() -> None:
    die_with_parent(signal.SIGTERM)


class Supervisor:
    """One exchange on one data directory."""

    def __init__(
        self, *, data_dir: Path, host: str, port: int, workers: int, mode: str, say: Callable[[str], None]
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.host, self.port, self.workers, self.mode, self.say = host, port, workers, mode, say
        self.server: EmbeddedServer | None = None
        self.parts: list[Part] = []
        self.environment = dict(os.environ)
        # half a dozen processes import the same thousand modules at each start: they are compiled once, as is usual
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.stopping = Asked()
        self._lock: IO[str] | None = None

    @property
    def url(self) -> str:
        """The address people open."""
        return self.environment.get("BASE_URL") or f"http://{self.host}:{self.port}"

    def run(self, *, filled_by: str | None = None, ready: Callable[[], None]) -> None:
        """Start everything, call ``ready``, watch until told to stop, stop everything.

        ``filled_by`` is the command that lays out a market before people come; it begins while the tables are made.
        Raises DirectoryHeld, PortTaken, DidNotAnswer and what the parts raise; nothing is left running then.
        """
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._told_to_stop)
        try:
            self._hold_directory()
            ensure_free(self.host, self.port)
            self._choose_database()
            sandboxed = self._choose_sandbox()
            web = self._start("web", self._web_command(), held=True)  # there is a lot to load, and a core to spare
            self._start_database()
            with self._meanwhile(filled_by) if filled_by else nullcontext():
                self.command("migrate")
                if sandboxed and not self.stopping.is_set():
                    self._start("sandbox", [sys.executable, "-m", "exchange.cli", "sandbox"])
                self._tell_instance()
            if not self.stopping.is_set():
                web.begin()
                self._await_health()
                self._start("worker", [sys.executable, "-m", "exchange.cli", "worker"])
            if not self.stopping.is_set():
                ready()
            self._watch()
        finally:
            self.stop()

    def command(self, name: str) -> None:
        """Run another `exchange` command beside the parts and wait; its output goes to the terminal.

        Raises CalledProcessError.
        """
        with self._meanwhile(name):
            pass

    @contextmanager
    def _meanwhile(self, name: str) -> Iterator[None]:
        """The same, with work to be done before the wait. Nothing of the command is left when this ends."""
        process = subprocess.Popen(
            [sys.executable, "-m", "exchange.cli", name], env=self.environment, cwd=ROOT,
            stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_child,
        )  # fmt: skip
        try:
            yield
            while process.poll() is None and not self.stopping.wait(0.05):
                pass
        finally:
            if interrupted := process.poll() is None:
                _end(process)
        if process.returncode and not interrupted:
            raise subprocess.CalledProcessError(process.returncode, f"exchange {name}")

    def stop(self) -> None:
        """End the parts in reverse order, PostgreSQL last."""
        for part in reversed(self.parts):
            part.stop()
        if self._lock is not None:
            (self.data_dir / INSTANCE).unlink(missing_ok=True)
        if self.server is not None:
            self.server.stop()
        if self._lock is not None:
            self._lock.close()

    # --- starting

    def _hold_directory(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        (self.data_dir / "log").mkdir(exist_ok=True)
        lock = (self.data_dir / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            lock.seek(0)
            holder = lock.read().strip() or "?"
            lock.close()
            raise DirectoryHeld(pid=holder, folder=str(self.data_dir)) from e
        self._lock = lock
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()
        kept = self._secrets()
        metrics = self.data_dir / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir()
        self.environment |= {
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "MODE": self.mode,
            "DATA_DIR": str(self.data_dir),
            "BASE_URL": self.url,
            "SECRET_KEY": self.environment.get("SECRET_KEY") or kept["secret_key"],
        }
        if self.mode == "demo" and not self.environment.get("EXCHANGE_NAME"):
            self.environment |= PLAYED_EXCHANGE

    def _secrets(self) -> dict[str, str]:
        file = self.data_dir / "secrets.json"
        kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        fresh = {
            "secret_key": secrets.token_urlsafe(48),
            "sandbox_key": f"sk_test_sbx{secrets.token_hex(16)}",
            **{f"sandbox_{kind}_secret": f"whsec_{secrets.token_hex(24)}" for kind in WEBHOOKS},
        }
        if fresh.keys() - kept.keys():
            kept = fresh | kept
            file.touch(mode=0o600)
            file.write_text(json.dumps(kept, indent=1))
        return kept

    def _choose_database(self) -> None:
        """Where none is configured, all parts are told where ours will be."""
        if self.environment.get("DATABASE_URL"):
            return
        self.server = EmbeddedServer(
            self.data_dir / "postgres",
            options=[
                "shared_buffers=160MB",
                "max_wal_size=2GB",
                "max_connections=120",
                "random_page_cost=1.1",
                "jit=off",
            ],
        )
        self.environment["DATABASE_URL"] = self.server.url.replace("/postgres?", "/exchange?")

    def _start_database(self) -> None:
        if self.server is None:
            return
        if opened := self.server.folders_to_open():
            self.say(
                "Running as root: PostgreSQL runs as the system user "
                f"“{EmbeddedServer.SYSTEM_USER}”, and these folders become readable to all users: "
                + ", ".join(map(str, opened))
            )
        self.server.start()

    def _choose_sandbox(self) -> bool:
        """Where no payment service is configured, all parts are told where the sandbox will be. Whether it is so."""
        if self.environment.get("STRIPE_SECRET_KEY"):
            return False
        kept = self._secrets()
        port = free_port(self.host, prefer=self.port + 1)
        self.environment |= {
            "STRIPE_API_BASE": f"http://{self.host}:{port}",
            "STRIPE_SECRET_KEY": kept["sandbox_key"],
            **{name: json.dumps([kept[f"sandbox_{kind}_secret"]]) for kind, (name, _) in WEBHOOKS.items()},
            "EXCHANGE_SANDBOX_DATABASE_URL": self.environment["DATABASE_URL"],
            "EXCHANGE_SANDBOX_SECRET_KEY": kept["sandbox_key"],
            "EXCHANGE_SANDBOX_HOST": self.host,
            "EXCHANGE_SANDBOX_PORT": str(port),
            "EXCHANGE_SANDBOX_WEBHOOKS": json.dumps(
                [
                    {
                        "url": f"http://{self.host}:{self.port}{path}",
                        "secret": kept[f"sandbox_{kind}_secret"],
                        "kind": kind,
                    }
                    for kind, (_, path) in WEBHOOKS.items()
                ]
            ),
        }
        return True

    def _tell_instance(self) -> None:
        file = self.data_dir / INSTANCE
        file.touch(mode=0o600)
        given = {k: v for k, v in self.environment.items() if os.environ.get(k) != v or k == "DATABASE_URL"}
        file.write_text(json.dumps(given, indent=1))

    def _web_command(self) -> list[str]:
        return [
            sys.executable, "-m", "exchange.cli", "web",
            "--host", self.host, "--port", str(self.port), "--workers", str(self.workers), "--when-told",
        ]  # fmt: skip

    def _start(self, name: str, command: list[str], *, held: bool = False) -> Part:
        part = Part(name, command, self.environment, self.data_dir / "log" / f"{name}.log")
        self.parts.append(part)
        part.start(held=held)
        return part

    def _await_health(self, patience: float = 60) -> None:
        deadline = time.monotonic() + patience
        while not self.stopping.is_set():
            try:
                with urllib.request.urlopen(f"http://{self.host}:{self.port}/healthz", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                pass
            for part in self.parts:
                if not part.is_running:
                    raise DidNotAnswer(part=part.name, log=str(part.log))
            if time.monotonic() > deadline:
                raise DidNotAnswer(part="web", log=str(self.data_dir / "log" / "web.log"))
            time.sleep(0.1)

    # --- watching

    def _told_to_stop(self, _: int, __: FrameType | None) -> None:
        self.stopping.set()

    def _watch(self) -> None:
        while not self.stopping.wait(0.5):
            if self.server is not None and self.server.process is not None and self.server.process.poll() is not None:
                self.say("PostgreSQL ended unexpectedly; starting it again.")
                self._restart_database(self.server)
            for part in self.parts:
                if not part.is_running and _may_restart(part.starts):
                    self.say(f"{part.name} ended unexpectedly; starting it again. Its log: {part.log}")
                    part.start()

    def _restart_database(self, server: EmbeddedServer) -> None:
        """After a crash it may not start at once, while the dead server's children still hold its memory."""
        try:
            server.start()
        except (ServerBusy, ServerFailed) as failure:
            self.say(f"{failure} It is tried again.")


def _may_restart(starts: Iterable[float]) -> bool:
    """At once at first; after five starts in a minute, wait ten seconds between them."""
    recent = [at for at in starts if time.monotonic() - at < 60]
    return len(recent) < 5 or time.monotonic() - recent[-1] > 10


def ensure_free(host: str, port: int) -> None:
    """Raises PortTaken when something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as e:
            raise PortTaken(host=host, port=port) from e


def free_port(host: str, *, prefer: int | None = None) -> int:
    """``prefer`` if nothing listens there, else any free port."""
    if prefer:
        try:
            ensure_free(host, prefer)
        except PortTaken:
            pass
        else:
            return prefer
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
