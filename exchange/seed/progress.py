"""What the person at the terminal sees: a bar, or plain lines where there is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """Silent: for tests."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Around one step."""
        yield

    def at(self, done: int, of: int) -> None:
        """So much of the step is done."""


class Lines(Progress):
    """One line a step."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        began = perf_counter()
        yield
        self._say(f"  {title}: {perf_counter() - began:.1f} s")


class Bar(Progress):
    """A bar a step, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            SpinnerColumn(finished_text="✓"), TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn(),
            console=console,
        )  # fmt: skip

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        with self._bars:
            self._task = self._bars.add_task(title, total=None)
            yield
            self._bars.update(self._task, total=1, completed=1)

    def at(self, done: int, of: int) -> None:
        self._bars.update(self._task, total=of, completed=done)


def progress_for(console: Console) -> Progress:
    """A bar on a terminal, lines elsewhere."""
    return Bar(console) if console.is_terminal else Lines(lambda text: console.print(text, highlight=False))
