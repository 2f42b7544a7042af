"""The trial of thread layouts: real ticks of noise, in turns, at the thread counts of each layout.

What is chosen is the fastest of the ways that were tried. All nodes in a row with all threads is
the first of them; others have a branch on a worker thread, beside a main thread with all threads or
fewer. Branches are added one at a time, as long as that helps.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import TYPE_CHECKING

import torch

from voicegraph.schemas.engine_setup import ThreadLayout, TriedLayout, WorkerThread

from ..startup_stages import begin_stage
from ._thread_count import set_here
from .thread_layout import (
    WorkerPool,
    apply_layout,
    branch_from,
    in_a_row,
    node_needs,
    upstream,
)

if TYPE_CHECKING:
    from .engine import Engine

_ROUNDS = 5
_LONGEST_NS = 3_000_000_000
"""No further round of turns starts after this time; every way has had two turns by then."""
_SHORT_NS = 50_000_000
"""A way with shorter ticks runs one more in each turn, which is not measured: after a change of
thread counts PyTorch starts threads and prepares its kernels."""
_HOPELESS = 1.25
"""A way whose fastest tick takes this much longer than that of another one gets no third turn."""
_MIN_COST_NS = 300_000
"""A hop to a thread costs 20-40 us, and several ms in the tail: cheaper nodes are not moved."""
_MIN_GAIN = 0.05
"""Fraction of a tick that a worker must save, in the fastest tick and in the median: less is noise,
and a row is steadier."""
_HEAVIER = 1.25
"""A branch that costs more than this, relative to what runs beside it, stays on the main thread,
which has more threads."""
_MOST_BRANCHES = 3
"""Branches that are tried at each step of the search, those that promise most first."""


@dataclass(eq=False)
class _Way:
    """A layout with its threads and its measured ticks in nanoseconds."""

    layout: ThreadLayout
    pool: WorkerPool | None = None
    times: list[int] = field(default_factory=list)

    @property
    def least(self) -> int:
        """The fastest tick."""
        return min(self.times)

    @property
    def median(self) -> float:
        """The median tick."""
        return statistics.median(self.times)

    def beats(self, other: _Way) -> bool:
        """Whether it is faster by more than noise explains."""
        most = 1 - _MIN_GAIN
        return self.least < other.least * most and self.median < other.median * most

    def report(self) -> TriedLayout:
        """The measurement."""
        return TriedLayout(
            layout=self.layout, least_ms=self.least / 1e6, median_ms=self.median / 1e6
        )


def choose_layout(engine: Engine, noise: torch.Tensor) -> str | None:
    """Tries layouts, and leaves the engine with the fastest and PyTorch with its thread count.

    Args:
        engine: warmed up, in a row; the timings of its nodes are those of some ticks.
        noise: a block of input, ``[streams, channels, samples]``.

    Returns:
        A sentence about the worker and what it saves; None if all nodes run in a row.
    """
    row = _Way(in_a_row(engine.threads))
    costs = {step.name: step.ring.summary().median_ms * 1e6 for step in engine.steps}
    best, tried = row, [row]
    try:
        best = _search(engine, noise, costs, tried)
    finally:  # also after a failure: other sessions share PyTorch's thread count
        set_here(best.layout.main)
        for way in tried:
            if way is not best and way.pool is not None:
                way.pool.shutdown()
    apply_layout(engine, best.layout, best.pool)
    engine.tried = [way.report() for way in tried] if len(tried) > 1 else []
    return None if best is row else _saved(best, row)


def _search(
    engine: Engine, noise: torch.Tensor, costs: dict[str, float], tried: list[_Way]
) -> _Way:
    """Adds branches to the row, which ``tried`` holds, while that helps; returns the best way."""
    best = tried[0]
    while others := _extensions(engine, best.layout, costs):
        tried += others
        for way in (best, *others):
            way.times.clear()
        _measure(engine, [best, *others], noise)
        fastest = min(others, key=lambda way: way.least)
        if not fastest.beats(best):
            break
        best = fastest
    return best


def _saved(best: _Way, row: _Way) -> str:
    names = [name for worker in best.layout.workers for name in worker.nodes]
    verb = "runs on a worker thread" if len(names) == 1 else "run on worker threads"
    if len(best.layout.workers) == 1 and len(names) > 1:
        verb = "run on a worker thread"
    saved = (row.median - best.median) / 1e6
    return f"{', '.join(names)} {verb}, which saves {saved:.1f} ms a block"


# ---- measuring ----------------------------------------------------------------------------------


def _measure(engine: Engine, ways: list[_Way], noise: torch.Tensor) -> None:
    """Runs ticks of all ways in turns, so that the machine's load affects all of them alike."""
    begun = perf_counter_ns()
    running = list(ways)
    for turn in range(_ROUNDS):
        if turn > 1 and perf_counter_ns() - begun > _LONGEST_NS:
            break
        for way in running:
            begin_stage(f"trying {way.layout.text}")
            _use(engine, way)
            if not way.times or way.times[-1] < _SHORT_NS:
                _timed_tick(engine, noise)
            way.times.append(_timed_tick(engine, noise))
        if turn > 0:  # one disturbed turn must not decide
            least = min(way.least for way in ways)
            running = [w for w in running if w is ways[0] or w.least < _HOPELESS * least]


def _use(engine: Engine, way: _Way) -> None:
    """Puts a way into force on this thread."""
    if way.pool is None and way.layout.workers:
        way.pool = WorkerPool([worker.threads for worker in way.layout.workers])
    if torch.get_num_threads() != way.layout.main:
        set_here(way.layout.main)
    apply_layout(engine, way.layout, way.pool)


def _timed_tick(engine: Engine, noise: torch.Tensor) -> int:
    """Nanoseconds of a tick, until its output is on the CPU."""
    with torch.inference_mode():
        begun = perf_counter_ns()
        engine.tick(noise).cpu()
        return perf_counter_ns() - begun


# ---- the ways to try ----------------------------------------------------------------------------


def _extensions(engine: Engine, layout: ThreadLayout, costs: dict[str, float]) -> list[_Way]:
    """The layout with one more branch on a worker, for every division of the threads."""
    taken = {name for worker in layout.workers for name in worker.nodes}
    needs = node_needs(engine)
    gains: list[tuple[float, list[str]]] = []
    for step in engine.steps:
        if not step.node.releases_gil or costs[step.name] < _MIN_COST_NS or step.name in taken:
            continue
        branch = [name for name in branch_from(engine, step.name) if name not in taken]
        beside = _beside(engine, needs, branch, costs, taken)
        own = sum(costs[name] for name in branch)
        gain = min(own, beside)
        if own <= _HEAVIER * beside and gain >= max(_MIN_COST_NS, _MIN_GAIN * sum(costs.values())):
            gains.append((gain, branch))
    found: list[_Way] = []
    seen: set[frozenset[str]] = set()
    for _, branch in sorted(gains, key=lambda entry: -entry[0]):
        if len(seen) == _MOST_BRANCHES or any(set(branch) & other for other in seen):
            continue  # a part of a branch that is tried already
        seen.add(frozenset(branch))
        found += [
            _Way(_extended(layout, branch, main, threads))
            for main, threads in _divisions(engine.threads)
        ]
    return found


def _beside(
    engine: Engine,
    needs: dict[str, set[str]],
    branch: list[str],
    costs: dict[str, float],
    taken: set[str],
) -> float:
    """The cost of what the main thread can run beside a branch, in nanoseconds."""
    before = upstream(needs, branch[0])
    found = 0.0
    for step in engine.steps:
        related = step.name in branch or step.name in before or step.name in taken
        if not related and not upstream(needs, step.name) & set(branch):
            found += costs[step.name]
    return found


def _divisions(threads: int) -> list[tuple[int, int]]:
    """Thread counts of the main thread and of a worker: all or all but one, beside one; halves."""
    found = [(threads, 1)]
    if threads > 1:
        found.append((threads - 1, 1))
    if threads > 3:
        found.append((threads - threads // 2, threads // 2))
    return found


def _extended(layout: ThreadLayout, branch: list[str], main: int, threads: int) -> ThreadLayout:
    """A layout with one more worker; the thread counts are those of the main thread and of it."""
    workers = [*layout.workers, WorkerThread(nodes=branch, threads=threads)]
    return ThreadLayout(main=main, workers=workers)
