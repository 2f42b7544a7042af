"""Before the first block: loads weights, warms up at true shapes, chooses worker threads."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import perf_counter_ns
from types import MappingProxyType
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch

from .. import random
from ..errors import VoicegraphError
from ..file_contents import require_unchanged
from ..node import Node
from ..precision import AUTO, PrecisionChoice, torch_dtype
from ..startup_stages import begin_stage
from ._node_failure import node_failure

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlannedNode
    from .engine import Engine, Step

_guard = Lock()
_loading: WeakKeyDictionary[Node, Lock] = WeakKeyDictionary()
"""First node of a plan -> lock: several threads may open sessions of one plan at the same time."""
_ROUNDS = 5
_LONGEST_NS = 2_000_000_000
"""No further round starts after this time: long blocks need fewer rounds for a stable median."""
_MIN_COST_NS = 300_000
"""A hop to a thread costs 20-40 us, and several ms in the tail: cheaper nodes are not moved."""
_MIN_GAIN = 0.1
"""Fraction of a tick that a worker must save to be kept: less is within measurement noise."""


def load_weights(
    plan: CompiledPlan,
    devices: dict[str, torch.device],
    precisions: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Loads every node's weights to its device, once per plan for all its sessions.

    A node whose precision is `auto` chooses it here, by a trial with the threads of this session;
    ``precisions`` names those that a replay takes over from its recording instead.

    Raises:
        VoicegraphError: if a file is missing, wrong or other than when the plan was compiled, or
            a node raises an exception.
    """
    # A lock of its own for each plan: a file that cannot be read to its end, on a network perhaps,
    # holds up its own plan only.
    with _guard:
        lock = _loading.setdefault(plan.nodes[0].node, Lock()) if plan.nodes else Lock()
    with lock:
        for planned in plan.nodes:
            device = devices[planned.name]
            if plan.loaded.get(planned.name) == str(device):
                continue
            begin_stage(f"loading {planned.name} ({planned.use})")
            try:
                chosen = _load(planned, device, precisions.get(planned.name))
            except VoicegraphError:
                raise
            except Exception as error:
                raise node_failure(planned.name, planned.use, error, "while loading") from error
            for name in planned.files.keys() & plan.files.keys():
                require_unchanged(plan.files[name])  # afterwards: what was loaded was hashed
            plan.precisions[planned.name] = chosen
            plan.loaded[planned.name] = str(device)


def _load(planned: PlannedNode, device: torch.device, precision: str | None) -> PrecisionChoice:
    """Loads one node, and says in which precision."""
    node, params = planned.node, planned.params
    node.device = device
    node.prepare(params)
    if planned.dtype != AUTO:
        chosen = PrecisionChoice(planned.dtype)
    elif precision is not None:
        chosen = PrecisionChoice(precision)
    else:
        chosen = node.choose_precision(params, device)
    node.dtype = torch_dtype(chosen.dtype)
    node.load(params, device, node.dtype)
    return chosen


def warm_up(engine: Engine, rounds: int = _ROUNDS) -> float:
    """Runs one block of silence, then noise; returns the median nanoseconds of a tick of noise."""
    source = engine.plan.source
    shape = (engine.streams, source.channels, engine.plan.samples_in)
    size = shape[0] * shape[1] * shape[2]
    noise = torch.from_numpy(random.normal(0, "warm-up", 0, 0, size)).view(shape) * 0.1
    times = []
    with torch.inference_mode():
        engine.tick(torch.zeros(shape))
        for _ in range(rounds):
            begun = perf_counter_ns()
            engine.tick(noise)
            times.append(perf_counter_ns() - begun)
            if sum(times) > _LONGEST_NS:
                break
    return statistics.median(times)


def prepare(engine: Engine, notes: list[str], workers: bool) -> float:
    """Warms up, chooses workers if ``workers``, and resets state and timings.

    Returns:
        The median nanoseconds of a tick without workers.
    """
    begin_stage("warming up")
    unassisted = warm_up(engine)
    if workers:
        _choose_workers(engine, notes, unassisted)
    engine.reset()
    engine.clear_timings()
    return unassisted


def copy_worker_lanes(engine: Engine, other: Engine) -> None:
    """Uses workers for the same nodes as ``other``: measuring would disturb it while it runs."""
    lanes = {(step.name, step.node.use): step.lane for step in other.steps}
    for step in engine.steps:
        if step.node.releases_gil:
            step.lane = lanes.get((step.name, step.node.use), 0)
    if any(step.lane for step in engine.steps):
        engine.pool = ThreadPoolExecutor(thread_name_prefix="voicegraph-worker")
    _set_waits(engine)


def _choose_workers(engine: Engine, notes: list[str], best: float) -> None:
    """Moves a step to a worker thread if that was measured to save time.

    Candidates are steps of nodes that release the interpreter lock and that can overlap with other
    costly steps of the tick. A worker changes when a value is computed, never the value.
    """
    for step in _candidates(engine):
        engine.pool = engine.pool or ThreadPoolExecutor(thread_name_prefix="voicegraph-worker")
        begin_stage(f"trying {step.name} on a worker thread")
        step.lane = 1 + sum(s.lane > 0 for s in engine.steps)
        _set_waits(engine)
        together = warm_up(engine)
        if together < best * (1 - _MIN_GAIN):
            saved = (best - together) / 1e6
            notes.append(f"{step.name} runs on a worker thread, which saves {saved:.1f} ms a block")
            best = together
        else:
            step.lane = 0
    if engine.pool is not None and not any(step.lane for step in engine.steps):
        engine.pool.shutdown()
        engine.pool = None
    _set_waits(engine)


def _candidates(engine: Engine) -> list[Step]:
    """Costly steps that can overlap with other costly steps, most expensive first."""
    cost = {step.name: step.ring.summary().median_ms * 1e6 for step in engine.steps}
    found = []
    for step in engine.steps:
        if not step.node.releases_gil or cost[step.name] < _MIN_COST_NS:
            continue
        related = _upstream(engine, step.name) | {
            other.name for other in engine.steps if step.name in _upstream(engine, other.name)
        }
        beside = sum(cost[s.name] for s in engine.steps if s.name not in related and s is not step)
        if beside >= _MIN_COST_NS:
            found.append(step)
    return sorted(found, key=lambda step: -cost[step.name])


def _upstream(engine: Engine, name: str) -> set[str]:
    links = {p.name: {link.source.node for link in p.inputs.values()} for p in engine.plan.nodes}
    seen: set[str] = set()
    todo = list(links[name])
    while todo:
        other = todo.pop()
        if other in links and other not in seen:
            seen.add(other)
            todo.extend(links[other])
    return seen


def _set_waits(engine: Engine) -> None:
    """Sets for which workers each step waits: its sources, and readers of its previous output.

    Readers over a feedback edge run before it and must have read the output of the previous tick.
    """
    past: dict[str, set[str]] = {step.name: set() for step in engine.steps}
    for planned in engine.plan.nodes:
        for link in planned.inputs.values():
            if link.feedback:
                past[link.source.node].add(planned.name)
    for planned, step in zip(engine.plan.nodes, engine.steps, strict=True):
        names = past[step.name] | {k.source.node for k in planned.inputs.values() if not k.feedback}
        step.waits = tuple(s for s in engine.steps if s.lane and s.name in names)
