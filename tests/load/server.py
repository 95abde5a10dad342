"""What the load commands run against: a fresh PostgreSQL that is thrown away, and the application under Granian."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def fresh_database(commands: Sequence[Sequence[str]], options: Sequence[str]) -> Iterator[str]:
    """The URL of a server of its own with these ``options``, after these commands of ``exchange``."""
    from exchange.embedded import EmbeddedServer

    with tempfile.TemporaryDirectory(prefix="confrere-load-") as folder:
        server = EmbeddedServer(Path(folder) / "pg", options=options)
        server.start()
        try:
            environment = {**os.environ, "DATABASE_URL": server.url}
            begun = time.perf_counter()
            for command in commands:
                subprocess.run([sys.executable, "-m", "exchange.cli", *command], env=environment, cwd=ROOT, check=True)
            print(f"laid out in {time.perf_counter() - begun:.0f} s")
            yield server.url
        finally:
            server.stop()


@contextmanager
def serving(factory: str, workers: int) -> Iterator[int]:
    """The port on which Granian serves the ASGI application that ``factory`` ("module:function") makes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = subprocess.Popen(
        [
            sys.executable, "-m", "granian", "--interface", "asgi", "--factory", factory, "--host", "127.0.0.1",
            "--port", str(port), "--workers", str(workers), "--loop", "uvloop", "--no-ws", "--log-level", "warning",
        ],
        cwd=ROOT,
    )  # fmt: skip
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        time.sleep(2)
        yield port
    finally:
        server.terminate()
        server.wait(20)
