"""Runs many small pieces of work over processes, with a bar that says how long it takes."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager

import torch
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@contextmanager
def bar(title: str, total: int, done: int = 0) -> Iterator[Callable[[str, int], None]]:
    """A progress bar; call what it gives with a remark and how much is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[remark]}"),
    )
    with Progress(*columns) as shown:
        task = shown.add_task(title, total=total, completed=done, remark="")
        yield lambda remark, now: shown.update(task, completed=now, remark=remark)


def run(title: str, work: Callable[..., None], jobs: Sequence[tuple], processes: int) -> None:
    """Calls ``work(*job)`` for all jobs, each process on one thread.

    Two processes of one thread do more than one process of two threads: the pieces are small.
    Ctrl-C, too, lets those under way finish.

    Raises:
        Exception: what the first job that fails raises; those under way are finished.
    """
    with bar(title, len(jobs)) as tell:
        for number, _ in enumerate(_finished(work, jobs, processes), 1):
            tell("", number)


def _finished(work: Callable[..., None], jobs: Sequence[tuple], processes: int) -> Iterable[None]:
    if processes == 1:
        _one_thread()
        yield from (work(*job) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _worker) as pool:
        waiting: list[Future[None]] = [pool.submit(work, *job) for job in jobs]
        try:
            yield from (future.result() for future in as_completed(waiting))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _worker() -> None:
    _one_thread()
    # A terminal's Ctrl-C reaches every process; the first of them tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _one_thread() -> None:
    torch.set_num_threads(1)
