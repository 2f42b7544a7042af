"""Progress bars with the remaining time, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from voicegraph.graph.rate_limit import RateLimit
from voicegraph.graph.terminal_text import styled_console

_EVERY_S = 30.0
"""Seconds between lines if standard error is not a terminal."""
ProgressCallback = Callable[[str, int], None]
"""Takes a remark and how much is done."""


@contextmanager
def progress_bar(title: str, total: int, done: int = 0) -> Iterator[ProgressCallback]:
    """Shows a progress bar on standard error, or prints a line every 30 s without a terminal."""
    if not sys.stderr.isatty():
        yield _lines(title, total, done)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[remark]}"),
    )
    with Progress(*columns, console=styled_console()) as shown:
        task = shown.add_task(title, total=total, completed=done, remark="")
        yield lambda remark, now: shown.update(task, completed=now, remark=remark)


def _lines(title: str, total: int, begun: int) -> ProgressCallback:
    start, limit = time.monotonic(), RateLimit(_EVERY_S)

    def tell(remark: str, now: int) -> None:
        if not limit.passes():
            return
        left = (time.monotonic() - start) * (total - now) / max(now - begun, 1) / 60
        share = f"{now / max(total, 1):.0%}, {left:.0f} min left"
        print(f"{title}: {share}{', ' if remark else ''}{remark}", file=sys.stderr, flush=True)

    return tell
