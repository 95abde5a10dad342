"""The child process that parses a file nobody has looked into yet."""

import json
import sys
from typing import Any

from exchange.errors import DomainError
from exchange.listings.spreadsheets import CHILD_SECONDS, read_sheets
from exchange.listings.spreadsheets.refusals import NotReadable, UnpacksTooLarge

CHILD_MEMORY = 2 * 2**30


def main() -> None:
    """A file on standard input, JSON on standard output, limits on everything between."""
    try:
        import resource
    except ImportError:  # no such limits on Windows
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CHILD_SECONDS, CHILD_SECONDS))
    content = sys.stdin.buffer.read()
    answer: dict[str, Any]
    try:
        answer = {"sheets": [[s.name, s.rows] for s in read_sheets(content)]}
    except DomainError as refusal:
        answer = {"refusal": type(refusal).__name__, "details": refusal.details}
    except MemoryError:
        answer = {"refusal": UnpacksTooLarge.__name__, "details": {}}
    except Exception:
        answer = {"refusal": NotReadable.__name__, "details": {}}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
