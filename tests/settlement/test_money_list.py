"""The table of MONEY.md: every line of the money list once, every test it names is there, what is open is said."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LINES = 47
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
NAMED = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def table() -> list[tuple[int, str]]:
    return [(int(number), proof) for number, proof in ROW.findall((HERE / "MONEY.md").read_text())]


@cache
def names_in(file: str) -> frozenset[str]:
    tree = ast.walk(ast.parse((HERE / file).read_text()))
    return frozenset(node.name for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_line_stands_in_the_table_once() -> None:
    assert [number for number, _ in table()] == list(range(1, LINES + 1))


@pytest.mark.parametrize(("number", "proof"), table())
def test_a_line_names_tests_that_exist_or_says_that_it_is_open(number: int, proof: str) -> None:
    named = NAMED.findall(proof)
    assert named or "open: " in proof, f"line {number} proves nothing and does not say so"
    assert re.sub(r"open: .*", "", NAMED.sub("", proof)).strip() == "", f"line {number} names what is no test"
    for file, test in named:
        assert test in names_in(file), f"line {number}: {file} has no {test}"


def test_what_is_open_is_said() -> None:
    still = [f"{number}: {proof.partition('open: ')[2]}" for number, proof in table() if "open: " in proof]
    if still:
        pytest.skip("lines of the money list not wholly proved: " + "; ".join(still))
