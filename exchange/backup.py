"""Backup and restore of the whole exchange: one file of PostgreSQL's own format, made and read by its own tools.

Everything lives in the database: uploads, photos, papers, sessions, the sandbox's state. The secrets of the data
directory are apart on purpose: keep ``secrets.json`` where you keep secrets.
"""

import subprocess
from pathlib import Path

from exchange.embedded import POSTGRES_BIN_PATH
from exchange.errors import N_, Conflict, Unavailable


class ToolFailed(Unavailable):
    """pg_dump or pg_restore refused."""

    message = N_("%(tool)s could not finish: %(told)s")


class FileExists(Conflict):
    """A backup never overwrites."""

    message = N_("%(file)s exists already. Name another file.")


def backup(url: str, file: Path) -> int:
    """Write the database at ``url`` to ``file``; consistent while the exchange runs. Returns bytes.

    Raises FileExists, ToolFailed.
    """
    if file.exists():
        raise FileExists(file=str(file))
    part = file.with_name(f"{file.name}.part")
    part.touch(mode=0o600)
    try:
        _run("pg_dump", "--format=custom", "--compress=gzip:1", f"--file={part}", url)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(url: str, file: Path) -> None:
    """Fill the empty database at ``url`` from ``file``, all or nothing. Raises ToolFailed."""
    _run("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={url}", str(file))


def _run(tool: str, *arguments: str) -> None:
    done = subprocess.run([str(POSTGRES_BIN_PATH / tool), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolFailed(tool=tool, told=done.stderr.strip()[-500:])
