"""What the person at the terminal sees: a bar, or plain lines where there is no terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """Silent: for tests."""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Around one step."""
        yield

    def at(self, done: int, of: int) -> None:
        """So much of the step is done."""


News = tuple[str, str, float, float]
"""Of which process, which step, how much is done, of how much; done and due are equal at the end."""


class Told(Progress):
    """Hands its news on, from one process to another's screen."""

    def __init__(self, strand: str, tell: Callable[[News], None]) -> None:
        self._strand, self._tell, self._title = strand, tell, ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        self._title = title
        self._tell((self._strand, title, 0, 0))
        yield
        self._tell((self._strand, title, 1, 1))

    def at(self, done: int, of: int) -> None:
        if done < of:
            self._tell((self._strand, self._title, done, of))


class Screen:
    """Shows news: a bar for each step on a terminal, a line for each finished one elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}
        self._bars = Bars(
            SpinnerColumn(finished_text="✓"), TextColumn("{task.description:<36}"), BarColumn(), TimeElapsedColumn(),
            console=console, disable=not console.is_terminal,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, news: News) -> None:
        """Take in one piece of news."""
        _, title, done, of = news
        if title not in self._tasks:
            self._began[title] = perf_counter()
            self._tasks[title] = self._bars.add_task(title, total=None)
        if of:
            self._bars.update(self._tasks[title], total=of, completed=done)
        if of and done >= of:
            self._bars.stop_task(self._tasks[title])
            if not self._console.is_terminal:
                self._console.print(f"  {title}: {perf_counter() - self._began[title]:.1f} s", highlight=False)
