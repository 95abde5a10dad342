"""The house is as the README draws it, and its habits are kept."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from exchange.cli import main

pytestmark = pytest.mark.xdist_group("architecture")  # the files are read once
ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "exchange"
DOMAINS = ("accounts", "companies", "listings", "wants", "introductions", "offers", "settlement", "insight")
FILES_OF_A_DOMAIN = {"__init__", "rules", "tables", "queries", "actions", "schemas", "pages", "api", "jobs"}
MORE_FILES = {"settlement": {"stripe_gateway", "webhooks", "press"}, "listings": {"spreadsheets"}}


@cache
def modules() -> list[tuple[Path, list[ast.AST]]]:
    """Every file of the package but the migrations, with all that is written in it."""
    files = [file for file in sorted(PACKAGE.rglob("*.py")) if "migrations" not in file.parts]
    return [(file.relative_to(PACKAGE), list(ast.walk(ast.parse(file.read_text())))) for file in files]


def test_the_readme_maps_the_tree_as_it_is() -> None:
    drawing = re.search(r"```\n(pyproject.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert drawing
    drawn = {
        line.split()[0] for line in drawing[1].splitlines() if line.startswith("  ") and not line.startswith("   ")
    }
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in PACKAGE.iterdir()
        if path.name not in ("__init__.py", "__pycache__", "py.typed")
    }
    assert drawn == there
    commands = re.search(r"cli\.py +exchange (.+)", drawing[1])
    assert commands and set(commands[1].split(" | ")) == set(main.commands)
    for line in drawing[1].splitlines():
        if not line.startswith(" "):
            assert (ROOT / line.split()[0]).exists(), line


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_has_only_the_files_the_house_knows(domain: str) -> None:
    there = {path.stem for path in (PACKAGE / domain).iterdir() if path.name != "__pycache__"}
    assert there <= FILES_OF_A_DOMAIN | MORE_FILES.get(domain, set())
    assert (PACKAGE / domain / "__init__.py").read_text().lstrip().startswith('"""')


@pytest.mark.parametrize("layer", ["actions", "rules"])
def test_settlement_lists_its_modules_as_they_are(layer: str) -> None:
    package = PACKAGE / "settlement" / layer
    listed = re.findall(r"^(\w+) {2,}\S", (package / "__init__.py").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in package.glob("*.py") if path.stem != "__init__")


def test_transactions_are_opened_in_actions_only() -> None:
    allowed = {"database.py", "jobs.py"}
    for path, nodes in modules():
        if path.name in allowed or path.parts[0] in ("seed", "sandbox") or "actions" in (path.stem, path.parent.name):
            continue
        calls = [n for n in nodes if isinstance(n, ast.Call) and _name(n.func) == "transaction"]
        assert not calls, f"{path}:{calls[0].lineno} opens a transaction; actions do"


def test_no_name_hides_what_a_file_is_for() -> None:
    for path, nodes in modules():
        assert path.stem not in ("utils", "common", "helpers") and not path.stem.startswith("base_"), path
        for node in nodes:
            assert not (isinstance(node, ast.ClassDef) and node.name.endswith("Manager")), f"{path}: {node.name}"


def test_status_codes_live_in_one_place() -> None:
    for path, nodes in modules():
        if path.parts[0] in ("web", "sandbox") or path.stem == "stripe_gateway":
            continue
        for node in nodes:
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                assert not _name(node.exc.func).endswith("HTTPException"), f"{path}:{node.lineno}"


def test_the_environment_is_read_once() -> None:
    """By settings; the process starters hand it on."""
    starters = {"settings.py", "supervisor.py", "cli.py", "embedded.py", "doctor.py"}
    for path, nodes in modules():
        if path.name in starters or path.parts[0] == "sandbox":
            continue
        for node in nodes:
            read = isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
            assert not read, f"{path}:{getattr(node, 'lineno', 0)} reads the environment"


def test_no_template_holds_inline_script_or_style() -> None:
    forbidden = re.compile(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", re.IGNORECASE)
    for file in (ROOT / "templates").rglob("*.html"):
        assert not (found := forbidden.search(file.read_text())), f"{file}: {found and found[0]}"


def test_no_tracked_file_names_a_package_host_or_this_machine() -> None:
    forbidden = re.compile(
        "|".join(("py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.", r"(^|[^.\w])/wo" + "rk/"))
    )
    for file in [
        *ROOT.glob("*.*"),
        *PACKAGE.rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
        *(ROOT / "templates").rglob("*"),
    ]:
        if file.is_file() and file.name not in ("uv.lock", ".git"):
            assert not (found := forbidden.search(file.read_text())), f"{file}: {found and found[0]}"


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
