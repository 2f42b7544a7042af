"""Runs many small jobs in worker processes, with a progress bar."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import torch

from voicegraph.graph.errors import Problem, VoicegraphError

from .interrupts import ignore_interrupts
from .progress import progress_bar


def run_jobs(
    title: str, work: Callable[..., object], jobs: Sequence[tuple], processes: int
) -> None:
    """Calls ``work(*job)`` for all jobs, in processes of one thread each.

    Jobs are small, so two processes of one thread are faster than one process of two threads.
    After Ctrl-C the running jobs are finished, too.

    Raises:
        Exception: what the first failing job raises, after the running jobs are finished.
    """
    with progress_bar(title, len(jobs)) as tell:
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
        with ignore_interrupts():
            waiting: list[Future[object]] = [pool.submit(work, *job) for job in jobs]
        try:
            yield from (future.result() for future in as_completed(waiting))
        except BrokenProcessPool:
            text = "the system ended a worker process: memory may have run out"
            fix = "run the same command again, it resumes; --processes 1 takes less memory"
            raise VoicegraphError(Problem("process-ended", text, fix=fix)) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _worker() -> None:
    _one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):  # a closed terminal: the parent ends the others
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _one_thread() -> None:
    torch.set_num_threads(1)
