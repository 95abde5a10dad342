"""Stock lists through the API of a running exchange, a line each: ``python -m tests.load.uploads FOLDER``.

Signs in with a new token of the demo's merchant (or ``--token``), uploads every CSV, XLSX, XLS, ODS and HTML file of
the folder one by one, waits until each is read, and prints rows read, usable, warned and refused, or why the file was
refused as a whole, and the seconds it took. Ends with 1 when a file got no answer.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
KINDS = {".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".html"}
PATIENCE = 120


def issue_token(email: str) -> str:
    """A new API token of the person, by the command line, beside the running exchange."""
    command = [sys.executable, "-m", "exchange.cli", "token", email, "--label", "uploads"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def upload(api: httpx.Client, file: Path) -> tuple[str, bool]:
    """What became of one file, and whether it was answered."""
    begun = time.perf_counter()
    answer = api.post("stock-lists", files={"file": (file.name, file.read_bytes())})
    if answer.status_code != 202:
        return f"{answer.status_code} {answer.json()['detail']}", answer.status_code < 500
    seen: dict[str, Any] = {"status": "received"}
    while seen["status"] not in {"read", "refused"}:
        if time.perf_counter() - begun > PATIENCE:
            return f"still {seen['status']} after {PATIENCE} s", False
        time.sleep(0.2)
        seen = api.get(f"stock-lists/{answer.json()['id']}").raise_for_status().json()
    spent = f"{time.perf_counter() - begun:8.1f}"
    if seen["status"] == "refused":
        return f"{spent}  {seen['refusal']['message']}", True
    return f"{seen['rows']:8}{seen['usable']:8}{seen['warned']:8}{seen['refused']:8}{spent}", True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--token", help="default: a new one of --email")
    parser.add_argument("--email", default="camille@vauclair.example")
    asked = parser.parse_args()
    files = sorted(f for f in asked.folder.iterdir() if f.suffix.lower() in KINDS)
    if not files:
        parser.error(f"no stock list in {asked.folder}")
    token = asked.token or issue_token(asked.email)
    fine = True
    print(f"{'':48}{'rows':>8}{'usable':>8}{'warned':>8}{'refused':>8}{'seconds':>8}")
    with httpx.Client(
        base_url=f"{asked.url}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
    ) as api:
        for file in files:
            told, answered = upload(api, file)
            fine &= answered
            print(f"{file.name:48}{told}", flush=True)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
