"""Progress of a conversion: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from voicegraph.graph.rate_limit import RateLimit
from voicegraph.graph.terminal_text import printable, styled_console

from ._startup_display import StageDisplay

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_EVERY_S = 5.0
"""Seconds between lines, so that a log of an hour stays readable."""


class ProgressDisplay(AbstractContextManager["ProgressDisplay"]):
    """Base of progress displays; shows nothing.

    ``begin`` starts a file; a call reports how many seconds of how many are done.
    """

    def begin(self, name: str) -> None:
        """Starts a new file."""

    def stage(self, name: str | None) -> None:
        """Names what is done before the first input of the file is; None: that is over."""

    def __call__(self, done: float, total: float | None) -> None:
        """Reports that ``done`` of ``total`` seconds of input are done."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Removes the display."""


def progress_display(quiet: bool) -> ProgressDisplay:
    """The display that suits standard error: a bar on a terminal, lines elsewhere."""
    if quiet:
        return ProgressDisplay()
    return ProgressBar() if sys.stderr.isatty() else ProgressLines()


class ProgressBar(ProgressDisplay):
    """A bar with speed and time left, on standard error; removed at the end."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.elapsed:.0f} s"),
            TimeRemainingColumn(),
            console=styled_console(),
            transient=True,
        )
        self._task: TaskID | None = None
        self._name = ""
        self._begun = 0.0

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        return self

    def begin(self, name: str) -> None:
        """Starts a new file: replaces the bar."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(printable(name), total=None, speed="")
        self._name, self._begun = name, monotonic()

    def stage(self, name: str | None) -> None:
        """Shows it behind the file's name."""
        if self._task is not None:
            text = self._name if name is None else f"{self._name}: {name}"
            self._progress.update(self._task, description=printable(text))

    def __call__(self, done: float, total: float | None) -> None:
        """Moves the bar."""
        assert self._task is not None
        self.stage(None)
        speed = speed_text(done, monotonic() - self._begun)
        self._progress.update(self._task, completed=done, total=total, speed=speed)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


class ProgressLines(ProgressDisplay):
    """Lines on standard error, for logs and pipes; short runs print none."""

    def __init__(self) -> None:
        self._name = ""
        self._begun = 0.0
        self._limit = RateLimit(_EVERY_S)
        self._stages: StageDisplay | None = None

    def begin(self, name: str) -> None:
        """Starts a new file."""
        self._name = name
        self._begun = monotonic()
        self._limit.restart()

    def stage(self, name: str | None) -> None:
        """Prints a line if it takes long."""
        if name is None:
            self._end_stages()
            return
        self._stages = self._stages or StageDisplay()
        self._stages.begin(name)

    def _end_stages(self) -> None:
        if self._stages is not None:
            self._stages.close()
            self._stages = None

    def __call__(self, done: float, total: float | None) -> None:
        """Prints a line if the last one is old enough."""
        self._end_stages()
        if self._limit.passes():
            line = self._line(done, total, monotonic() - self._begun)
            print(line, file=sys.stderr, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_stages()

    def _line(self, done: float, total: float | None, took: float) -> str:
        of = f"{done:.0f} of {total:.0f} s" if total else f"{done:.0f} s"
        left = f", {max(total - done, 0) * took / done:.0f} s left" if total and done else ""
        return f"{printable(self._name)}: {of}, {speed_text(done, took)}{left}"


def speed_text(seconds: float, took: float) -> str:
    """``23.1x real time``."""
    return f"{seconds / took:.1f}x real time" if took > 0 else ""
