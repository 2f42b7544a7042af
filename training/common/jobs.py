"""Runs many small pieces of work over processes, with a bar that says how long it takes."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import torch
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from voicegraph.graph.errors import Problem, VoicegraphError

from .interrupts import unheard

_EVERY_S = 30.0
"""Seconds between lines where there is no terminal."""
Tell = Callable[[str, int], None]
"""Takes a remark and how much is done."""


@contextmanager
def bar(title: str, total: int, done: int = 0) -> Iterator[Tell]:
    """A progress bar on standard error, or a line now and then where that is no terminal."""
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
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(title, total=total, completed=done, remark="")
        yield lambda remark, now: shown.update(task, completed=now, remark=remark)


def _lines(title: str, total: int, begun: int) -> Tell:
    start = last = time.monotonic()

    def tell(remark: str, now: int) -> None:
        nonlocal last
        if time.monotonic() - last < _EVERY_S:
            return
        last = time.monotonic()
        left = (last - start) * (total - now) / max(now - begun, 1) / 60
        share = f"{now / max(total, 1):.0%}, {left:.0f} min left"
        print(f"{title}: {share}{', ' if remark else ''}{remark}", file=sys.stderr, flush=True)

    return tell


def run(title: str, work: Callable[..., object], jobs: Sequence[tuple], processes: int) -> None:
    """Calls ``work(*job)`` for all jobs, each process on one thread.

    Two processes of one thread do more than one process of two threads: the pieces are small.
    Ctrl-C, too, lets those under way finish.

    Raises:
        Exception: what the first job that fails raises; those under way are finished.
    """
    with bar(title, len(jobs)) as tell:
        for number, _ in enumerate(_finished(work, jobs, processes), 1):
            tell("", number)


def _finished(
    work: Callable[..., object], jobs: Sequence[tuple], processes: int
) -> Iterable[object]:
    if processes == 1:
        _one_thread()
        yield from (work(*job) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _worker) as pool:
        with unheard():
            waiting: list[Future[object]] = [pool.submit(work, *job) for job in jobs]
        try:
            yield from (future.result() for future in as_completed(waiting))
        except BrokenProcessPool:
            text = "the system ended a process that was at work: memory may have run out"
            fix = "the same command goes on; with --processes 1 it takes less memory"
            raise VoicegraphError(Problem("process-ended", text, fix=fix)) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _worker() -> None:
    _one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _one_thread() -> None:
    torch.set_num_threads(1)
