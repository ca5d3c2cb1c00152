"""How far a pass is, told to a person: a bar on a terminal, one line a phase elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from sync.cli.opening import stderr


class Bar:
    """A bar for each phase of the pass."""

    def __init__(self, bars: Progress) -> None:
        """``bars`` is shown already."""
        self._bars = bars
        self._task: TaskID | None = None
        self._done = 0

    def phase(self, name: str, total: int | None) -> None:
        """The bar of the phase before ends where it is; a new one begins."""
        self.finish()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, done: int, total: int | None = None) -> None:
        """The bar moves on."""
        if self._task is not None:
            self._done += done
            self._bars.update(self._task, advance=done)
            if total is not None:
                self._bars.update(self._task, total=max(total, self._done))

    def finish(self) -> None:
        """The bar is full: what was not known before is now what was done. A phase with nothing to do leaves no bar."""
        if self._task is not None and self._done:
            self._bars.update(self._task, total=self._done, completed=self._done)
            self._bars.stop_task(self._task)
        elif self._task is not None:
            self._bars.remove_task(self._task)
        self._task, self._done = None, 0


class Lines:
    """One line when a phase ends."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """``say`` takes the lines."""
        self._say = say
        self._name = ""
        self._done = 0

    def phase(self, name: str, total: int | None) -> None:  # noqa: ARG002 - the interface of a progress
        """The phase before is told."""
        self.finish()
        self._name = name

    def advance(self, done: int, total: int | None = None) -> None:  # noqa: ARG002 - the interface of a progress
        """Counted, and told at the end."""
        self._done += done

    def finish(self) -> None:
        """The last phase is told, if it did anything."""
        if self._name and self._done:
            self._say(f"  {self._name}: {self._done}")
        self._name, self._done = "", 0


@contextmanager
def shown(*, lines: Callable[[str], None] | None = None) -> Iterator[Bar | Lines]:
    """A progress for a block of work: bars on stderr when it is a terminal, else ``lines``, else nothing.

    With ``lines`` the bars stay when the block ends, as the lines would.
    """
    console = stderr()
    if console.is_terminal:
        with _bars(console, transient=lines is None) as bars:
            bar = Bar(bars)
            yield bar
            bar.finish()
        return
    told = Lines(lines or _nobody)
    yield told
    told.finish()


def _bars(console: Console, *, transient: bool) -> Progress:
    return Progress(
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description:<16}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=transient,
        redirect_stdout=sys.stdout.isatty(),
    )


def _nobody(_: str) -> None:
    """Takes a line and tells nobody."""
