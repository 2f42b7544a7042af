"""Thread layouts: which nodes of an engine run on worker threads, in which order, with how many.

A worker runs a *branch*: a node, and nodes behind it that need nothing else that is not ready when
it starts. The engine starts it as early as possible, runs what does not depend on it
meanwhile, and the rest at the end. That changes when a value is computed, never the value; the
thread counts may change the order of sums inside a product, and with it the last bits.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

from voicegraph.schemas.engine_setup import ThreadLayout

from ._thread_count import set_here

if TYPE_CHECKING:
    from .engine import Engine, Step


class WorkerPool:
    """One thread for each worker of a layout, with a PyTorch thread count of its own.

    Args:
        counts: the thread count of each worker, in the order of their lanes.
    """

    def __init__(self, counts: list[int]) -> None:
        before = torch.get_num_threads()
        self._lanes = [
            ThreadPoolExecutor(1, f"voicegraph-worker-{lane}") for lane in range(1, len(counts) + 1)
        ]
        for lane, count in zip(self._lanes, counts, strict=True):
            lane.submit(set_here, count).result()
        # A count that is set on one thread is also that of threads which start later: put it back.
        set_here(before)

    def submit(self, run: Callable[[Step], None], step: Step) -> Future[None]:
        """Runs a step on the thread of its lane."""
        return self._lanes[step.lane - 1].submit(run, step)

    def shutdown(self, wait: bool = True) -> None:
        """Ends the threads."""
        for lane in self._lanes:
            lane.shutdown(wait=wait)


def in_a_row(threads: int) -> ThreadLayout:
    """The layout without workers."""
    return ThreadLayout(main=threads)


def apply_layout(engine: Engine, layout: ThreadLayout, pool: WorkerPool | None = None) -> None:
    """Sets lanes, order and waits of an engine's steps; PyTorch's thread count is the caller's.

    Args:
        engine: between two ticks.
        layout: its branches must be valid for the engine: see :func:`fits`.
        pool: workers to use; None makes them if the layout has any. Workers that the engine had are
            not ended.
    """
    for step in engine.steps:
        step.lane, step.followers = 0, ()
    heads: dict[str, Step] = {}
    for lane, worker in enumerate(layout.workers, 1):
        branch = [engine.by_name[name] for name in worker.nodes]
        for step in branch:
            step.lane = lane
            heads[step.name] = branch[0]
        branch[0].followers = tuple(branch[1:])
    needs = node_needs(engine)
    _set_waits(engine, heads, needs)
    engine.schedule = _schedule(engine, heads, needs)
    engine.layout = layout
    engine.pool = None
    if layout.workers:
        engine.pool = pool or WorkerPool([worker.threads for worker in layout.workers])


def fits(engine: Engine, layout: ThreadLayout) -> bool:
    """Whether an engine has the branches of a layout."""
    needs = node_needs(engine)
    taken: set[str] = set()
    for worker in layout.workers:
        names = list(worker.nodes)
        if taken & set(names) or not set(names) <= needs.keys():
            return False
        taken |= set(names)
        before = upstream(needs, names[0])
        for k, name in enumerate(names[1:], 1):
            if not needs[name] <= before | set(names[:k]):
                return False
    return True


def branch_from(engine: Engine, name: str) -> list[str]:
    """A node and all that follows from it and from what it needs, in running order."""
    needs = node_needs(engine)
    before, branch = upstream(needs, name), [name]
    after = [step.name for step in engine.steps]
    for other in after[after.index(name) + 1 :]:
        inputs = needs[other]
        if inputs & set(branch) and inputs <= before | set(branch):
            branch.append(other)
    return branch


def upstream(needs: dict[str, set[str]], name: str) -> set[str]:
    """All nodes that must have run before one."""
    seen: set[str] = set()
    todo = list(needs[name])
    while todo:
        other = todo.pop()
        if other not in seen:
            seen.add(other)
            todo.extend(needs[other])
    return seen


def copy_worker_lanes(engine: Engine, other: Engine) -> None:
    """Uses the layout of ``other``: measuring would disturb it while it runs.

    A branch whose nodes are no longer the same stays on the main thread; without any, all nodes run
    in a row, with all the threads that the session may use.
    """
    uses = {step.name: step.node.use for step in engine.steps}
    theirs = {step.name: step.node.use for step in other.steps}
    kept = [
        worker
        for worker in other.layout.workers
        if all(uses.get(name) == theirs[name] for name in worker.nodes)
        and fits(engine, ThreadLayout(main=1, workers=[worker]))
    ]
    engine.threads = other.threads
    main = other.layout.main if kept else other.threads
    apply_layout(engine, ThreadLayout(main=main, workers=kept))


def node_needs(engine: Engine) -> dict[str, set[str]]:
    """What runs before each node: its sources, and readers of its previous output.

    Readers over a feedback edge must have read the output of the previous tick before their source
    overwrites it.
    """
    names = {planned.name for planned in engine.plan.nodes}
    found: dict[str, set[str]] = {name: set() for name in names}
    for planned in engine.plan.nodes:
        for link in planned.inputs.values():
            if link.source.node not in names:
                continue
            if link.feedback:
                found[link.source.node].add(planned.name)
            else:
                found[planned.name].add(link.source.node)
    return found


def _set_waits(engine: Engine, heads: dict[str, Step], needs: dict[str, set[str]]) -> None:
    """Sets for which workers each step of the schedule waits."""
    for step in engine.steps:
        own = [step, *step.followers]
        wanted = {heads[n].name for s in own for n in needs[s.name] if n in heads}
        wanted -= {s.name for s in own}
        step.waits = tuple(s for s in engine.steps if s.name in wanted)


def _schedule(
    engine: Engine, heads: dict[str, Step], needs: dict[str, set[str]]
) -> tuple[Step, ...]:
    """The steps that the main thread runs or hands to workers, in order.

    First what the branches need, and the branches; then what is independent of them; then the rest.
    """
    if not heads:
        return tuple(engine.steps)
    firsts = {head.name for head in heads.values()}
    early = firsts.union(*(upstream(needs, name) for name in firsts))
    after = {s.name for s in engine.steps if upstream(needs, s.name) & heads.keys()}

    def rank(step: Step) -> int:
        return 0 if step.name in early else 2 if step.name in after else 1

    main = [s for s in engine.steps if s.name not in heads or s.name in firsts]
    return tuple(sorted(main, key=rank))
