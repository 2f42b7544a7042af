"""Progress of an experiment: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING

from voicegraph.experiments.driver.listener import Listener
from voicegraph.graph.rate_limit import RateLimit
from voicegraph.graph.terminal_text import printable, styled_console

from ._output import echo

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from voicegraph.experiments.engines.engine import Note
    from voicegraph.experiments.engines.schedule import TaskProgress
    from voicegraph.experiments.task import Outcome, Task

_EVERY_S = 5.0
"""Seconds between lines, so that a log of an hour stays readable."""
_STOPPING = "stopping: what runs is finished, for 10 s at most; Ctrl-C again stops at once"


class TaskDisplay(Listener, AbstractContextManager["TaskDisplay"]):
    """Base of displays; shows what people must see, and no progress."""

    def __init__(self) -> None:
        self._failures: set[tuple[str, str | None]] = set()

    def say(self, text: str) -> None:
        """Prints lines beside the progress."""
        for line in text.split("\n"):
            echo(printable(line), err=True)

    def noted(self, note: Note) -> None:
        """Prints it."""
        where = f"{note.host}: " if note.host else ""
        fix = (note.fix or "").replace("\n", "\n       ")
        self.say(f"note: {where}{note.message}" + (f"\n  fix: {fix}" if fix else ""))

    def ended(self, task: Task, outcome: Outcome) -> None:
        """Prints the first failure of each kind; the others follow at the end."""
        why = outcome.failure
        if why is None or not outcome.attempts or (why.code, why.node) in self._failures:
            return
        self._failures.add((why.code, why.node))
        self.say(f"failed: {task.label}: {why.message}")

    def stopping(self) -> None:
        """Says how it ends."""
        self.say(_STOPPING)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Removes the display."""


def task_display(name: str, *, quiet: bool) -> TaskDisplay:
    """The display that suits standard error: a bar on a terminal, lines elsewhere.

    Args:
        name: of the experiment.
        quiet: shows no progress, and what failed only at the end.
    """
    if quiet:
        return QuietDisplay()
    return TaskBar(name) if sys.stderr.isatty() else TaskLines(name)


class QuietDisplay(TaskDisplay):
    """Shows notes, and how Ctrl-C ends."""

    def ended(self, task: Task, outcome: Outcome) -> None:
        """Says nothing: a program reads the report."""


class TaskBar(TaskDisplay):
    """A bar with the time left, on standard error; removed at the end."""

    def __init__(self, name: str) -> None:
        super().__init__()
        from rich.progress import BarColumn, Progress, TextColumn

        self._name = name
        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=styled_console(),
            transient=True,
        )
        self._task: TaskID = self._progress.add_task(printable(name), total=None, state="")

    def __enter__(self) -> TaskBar:
        self._progress.start()
        return self

    def say(self, text: str) -> None:
        """Prints above the bar."""
        for line in text.split("\n"):
            self._progress.console.print(printable(line), markup=False, highlight=False)

    def stage(self, name: str) -> None:
        """Shows it behind the name."""
        text = printable(f"{self._name}: {name}")
        self._progress.update(self._task, description=text, state="")

    def progress(self, progress: TaskProgress, seconds_left: float, what: str = "") -> None:
        """Moves the bar."""
        ended = progress.stored + progress.done + progress.failed + progress.untried
        self._progress.update(
            self._task,
            description=printable(": ".join(filter(None, (self._name, what)))),
            completed=ended,
            total=progress.total,
            state=_state(progress, seconds_left),
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


class TaskLines(TaskDisplay):
    """Lines on standard error, for logs and pipes; short runs print none."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._limit = RateLimit(_EVERY_S)

    def progress(self, progress: TaskProgress, seconds_left: float, what: str = "") -> None:
        """Prints a line if the last one is old enough."""
        if self._limit.passes():
            state = _state(progress, seconds_left)
            self.say(": ".join(filter(None, (self._name, what, state))))


def _state(progress: TaskProgress, seconds_left: float) -> str:
    """``120 of 300, 2 failed, 3 min left``."""
    ended = progress.stored + progress.done
    failed = f", {progress.failed} failed" if progress.failed else ""
    untried = f", {progress.untried} not tried" if progress.untried else ""
    left = duration_text(seconds_left)
    return f"{ended} of {progress.total}{failed}{untried}, {left} left"


def duration_text(seconds: float) -> str:
    """``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
