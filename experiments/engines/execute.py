"""What a worker does with a task: the same function for all engines, so that results are the same.

Nothing that a task does wrong gets past :func:`execute`, except that it ends the process.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from voicegraph.graph.errors import InputError, NodeFailedError, Problem, VoicegraphError
from voicegraph.graph.memory_budget import machine_bytes

from ..task import Failure, Kind, Outcome, Result, Results, Task
from ._watchdog import end_with_driver, limit_allocations, watch
from .engine import OUT_OF_MEMORY, Limits

if TYPE_CHECKING:
    from ..store import Store

THREAD_SETTINGS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""Environment variables that libraries read when they are loaded."""

_MEMORY_SHARE = 0.8
"""Of the machine's memory, for all workers together."""

_loaded: dict[str, str] = {}
"""Files of nodes and plug-ins that this process has loaded, with their SHA-256."""


@contextmanager
def thread_settings(threads: int) -> Iterator[None]:
    """Sets the numeric threads of libraries loaded, and of processes started, in this block."""
    before = {name: os.environ.get(name) for name in THREAD_SETTINGS}
    os.environ.update(dict.fromkeys(THREAD_SETTINGS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def worker_limits(limits: Limits, workers: int) -> Limits:
    """The limits with a size of memory that leaves the machine alive, if they name none.

    Args:
        limits: of tasks.
        workers: on this machine.
    """
    if limits.task_memory is not None or (memory := machine_bytes()) is None:
        return limits
    return replace(limits, task_memory=int(_MEMORY_SHARE * memory / workers))


def prepare_worker(limits: Limits, note_end: Callable[[str], object] = str) -> None:
    """Makes this process a worker; called once, before its first task.

    It computes on ``limits.threads`` threads, leaves Ctrl-C to its driver, ends with it, and ends
    before it takes more memory than it may.

    Args:
        limits: with :func:`worker_limits` of this machine.
        note_end: called with a code just before this process ends by a limit, for engines that
            get no exit code.
    """
    end_with_driver()
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if sys.platform == "win32":  # no window that waits for a click when native code crashes
        import ctypes

        ctypes.WinDLL("kernel32").SetErrorMode(0x8003)  # pyright: ignore[reportAttributeAccessIssue]
    watch(limits.task_memory, lambda: note_end(OUT_OF_MEMORY))
    os.environ.update(dict.fromkeys(THREAD_SETTINGS, str(limits.threads)))
    set_threads(limits.threads)
    if limits.task_memory is not None:
        limit_allocations(limits.task_memory)


def set_threads(threads: int) -> None:
    """Sets the numeric threads of this process: of torch, and of what numpy and scipy have loaded.

    More of them may add in another order, which changes the last bits.
    """
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)


def execute_into(task: Task, store: Store) -> Outcome:
    """Computes a task, and writes its result into the store. Raises nothing, as :func:`execute`."""
    outcome, result = execute(task, store)
    if result is None:
        return outcome
    try:
        record = store.write(
            task.key, result, kind=task.kind, label=task.label, seconds=outcome.seconds
        )
    except Exception as error:
        return _failed(task, failure_of(error), outcome.seconds)
    return replace(outcome, size=record.size)


def execute(task: Task, needs: Results) -> tuple[Outcome, Result | None]:
    """Computes a task.

    Raises nothing but KeyboardInterrupt, in an engine that computes in the driver's process.

    Args:
        task: the task.
        needs: the results that it reads.

    Returns:
        How it ended, and the result if it succeeded.
    """
    begun = perf_counter()
    try:
        for path, sha256 in task.nodes_files:
            _load(Path(path), sha256)
        result = task.work.run(needs)
        _require_finite(task, result)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a node that calls sys.exit() fails like any other
        return _failed(task, failure_of(error), perf_counter() - begun), None
    seconds = perf_counter() - begun
    outcome = Outcome(task.key, seconds=seconds, host=socket.gethostname(), process=os.getpid())
    return outcome, result


def _load(path: Path, sha256: str) -> None:
    """Loads a file of nodes or plug-ins once, if it is still the one that the key was made of.

    Raises:
        InputError: if it was changed or removed.
        PipelineError: if it fails.
    """
    if _loaded.get(str(path)) == sha256:
        return
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror or error}"
        raise InputError(Problem("file-changed", text, fix="the same command again")) from None
    if found != sha256:
        text = f"{path} was changed while the experiment ran"
        raise InputError(Problem("file-changed", text, fix="the same command again"))
    if not _was_loaded_by_driver(path):
        from voicegraph.graph.registry import load_file

        load_file(path)
    _loaded[str(path)] = sha256


def _was_loaded_by_driver(path: Path) -> bool:
    """Whether this process is the driver's, which loaded the file to make the tasks."""
    prefixes = ("voicegraph_nodes_", "voicegraph_metrics_")
    modules = [module for name, module in sys.modules.items() if name.startswith(prefixes)]
    files = [file for module in modules if (file := module.__file__) is not None]
    return path.resolve() in [Path(file).resolve() for file in files]


def _require_finite(task: Task, result: Result) -> None:
    """Refuses NaN and infinity in a sound, whatever made it.

    Raises:
        InputError: naming the first second.
    """
    audio = result.arrays.get("audio")
    if audio is None or task.kind not in (Kind.INPUT, Kind.CONVERT):
        return
    wrong = np.flatnonzero(~np.isfinite(audio))
    if wrong.size:
        rate = result.about.get("rate")
        where = f"second {wrong[0] / rate:.3f}" if rate else f"sample {wrong[0]}"
        raise InputError(Problem("not-finite", f"the sound has NaN or infinity at {where}"))


def out_of_memory(limits: Limits) -> Failure:
    """What the end of a worker by its memory limit means."""
    limit = limits.task_memory or 0
    text = f"it took more memory than a task may, {limit / 1e9:.1f} GB"
    fix = limits.remedies.memory.format(gigabytes=max(1, round(2 * limit / 1e9)))
    return Failure(OUT_OF_MEMORY, text, fix=fix)


def _failed(task: Task, failure: Failure, seconds: float) -> Outcome:
    host, process = socket.gethostname(), os.getpid()
    return Outcome(task.key, failure, seconds, host=host, process=process)


def failure_of(error: BaseException) -> Failure:
    """What an exception says about a task."""
    node = error.node if isinstance(error, NodeFailedError) else None
    second = getattr(error, "second", None)
    if (memory := _memory_error(error)) is not None:
        return Failure(OUT_OF_MEMORY, f"there is no memory for it: {memory}", node, second)
    if isinstance(error, VoicegraphError):
        problem = error.problems[0]
        notes = "".join(f"; {text}" for text, _ in problem.notes)
        return Failure(problem.code, problem.message + notes, node, second, problem.fix)
    text = str(error).strip().partition("\n")[0]
    name = type(error).__name__
    message = f"{name}: {text}" if text else name
    return Failure("task-failed", f"{message} ({_place(error)})", node, second)


def _memory_error(error: BaseException) -> str | None:
    """The first line of a refused allocation, if that is what an exception comes from."""
    seen: BaseException | None = error
    while seen is not None:
        text = str(seen).partition("\n")[0]
        # torch raises RuntimeError: [enforce fail at alloc_cpu.cpp:121] ... can't allocate memory;
        # C++ libraries raise a MemoryError for an array of -1 values, which no memory would mend.
        refused = isinstance(seen, MemoryError) and "bad_array_new_length" not in text
        if refused or "can't allocate memory" in text:
            return text or "MemoryError"
        seen = seen.__cause__ or seen.__context__
    return None


def _place(error: BaseException) -> str:
    """Where an exception was raised: ``creak.py, line 12``."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "no place"
