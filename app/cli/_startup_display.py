"""What is being done while a session starts, with seconds: a line on a terminal, else log lines."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from voicegraph.graph.startup_stages import begin_stage, report_stages
from voicegraph.graph.terminal_text import printable, styled_console

from ._output import echo

_FIRST_S = 1.0
"""Seconds after which a stage is worth a line in a log."""
_EVERY_S = 5.0
_POLL_S = 0.1
_WORTH_NAMING_S = 0.3
"""Seconds from which on a stage is named in the line at the end."""


class StageTimes:
    """The stages so far, each with its beginning. Times are seconds of ``time.monotonic``."""

    def __init__(self) -> None:
        self._begun: list[tuple[str, float]] = []
        self._due = 0.0

    def begin(self, name: str, now: float) -> None:
        """Begins a stage."""
        self._due = now + _FIRST_S
        self._begun.append((name, now))

    def line(self, now: float) -> str | None:
        """The line that is due in a log; None if there is none."""
        if not self._begun or now < self._due:
            return None
        self._due = now + _EVERY_S
        return f"starting: {self.current(now)}"

    def current(self, now: float) -> str:
        """The present stage with its seconds; empty before the first."""
        if not self._begun:
            return ""
        name, at = self._begun[-1]
        return f"{name}, {now - at:.1f} s"

    def summary(self, now: float) -> str | None:
        """All stages that took long; None if the start was short."""
        if not self._begun or (total := now - self._begun[0][1]) < _FIRST_S:
            return None
        ends = [*(at for _, at in self._begun[1:]), now]
        parts = [
            f"{name} {end - at:.1f} s"
            for (name, at), end in zip(self._begun, ends, strict=True)
            if end - at >= _WORTH_NAMING_S
        ]
        return f"started in {total:.1f} s: {', '.join(parts)}"


class StageDisplay:
    """Shows stages on standard error until it is closed."""

    def __init__(self) -> None:
        self.times = StageTimes()
        self._closed = threading.Event()
        show = self._show_on_terminal if sys.stderr.isatty() else self._print_lines
        self._thread = threading.Thread(target=show, daemon=True)
        self._thread.start()

    def begin(self, name: str) -> None:
        """Shows a stage from now on."""
        self.times.begin(name, monotonic())

    def close(self) -> None:
        """Removes the display. Safe to call twice."""
        self._closed.set()
        self._thread.join()

    def _show_on_terminal(self) -> None:
        from rich.text import Text

        with styled_console().status("") as status:
            while not self._closed.wait(_POLL_S):
                status.update(Text(printable(self.times.current(monotonic())), "dim"))

    def _print_lines(self) -> None:
        while not self._closed.wait(_POLL_S):
            if (text := self.times.line(monotonic())) is not None:
                print_line(text)


@contextmanager
def startup_display(quiet: bool, summary: bool = True) -> Iterator[None]:
    """Shows what is being done until a session runs, or until the ``with`` block ends.

    Args:
        quiet: show nothing.
        summary: say at the end what took long.
    """
    if quiet:
        yield
        return
    display = StageDisplay()
    running = False

    def listen(name: str | None) -> None:
        nonlocal running
        if running:
            return
        if name is not None:
            display.begin(name)
            return
        running = True
        display.close()
        if summary and (text := display.times.summary(monotonic())) is not None:
            print_line(text)

    with report_stages(listen):
        begin_stage("loading libraries")
        try:
            yield
        finally:
            display.close()


def print_line(text: str) -> None:
    """Prints a line on standard error at once."""
    echo(printable(text), err=True)
