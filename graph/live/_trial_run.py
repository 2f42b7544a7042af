"""Trial run of a new engine beside the running one: how long its ticks will take.

The trial must not cost the running session a block. It runs on the thread of the hot swap, at low
priority, node by node, with a pause after each node that is longer than the node took. So it never
takes more than a third of one processor, and at most one node of it runs when the next block is
due. Nodes release the interpreter lock while they compute (PyTorch, WORLD, FAISS).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import torch

from .. import random
from ..runtime.engine import Engine, Step

Pause = Callable[[float], None]
"""Called after every run of a node, with the seconds that it took; may raise to end the trial."""

_ROUNDS = 3
_HOPELESS = 2.0
"""Blocks that a tick takes from which on no further round is run."""
_KNOWN_TICKS = 20
"""Ticks of the running engine from which on its times are better than those of a trial."""


def trial_run(engine: Engine, running: Engine, pause: Pause) -> float:
    """Runs some ticks of noise through a new engine, and resets it.

    Args:
        engine: the new engine, with the lanes of its workers.
        running: the engine that processes meanwhile; its times count for nodes that stay the same.
        pause: called after every run of a node.

    Returns:
        Seconds that a tick is expected to take.
    """
    plan = engine.plan
    shape = (engine.streams, plan.source.channels, plan.samples_in)
    noise = random.normal(0, "warm-up", 0, 0, shape[0] * shape[1] * shape[2])
    block = torch.from_numpy(noise).view(shape) * 0.1
    cost = dict.fromkeys(engine.by_name, float("inf"))
    known = _known_costs(engine, running)
    expected = 0.0
    with torch.inference_mode():
        _paced_tick(engine, torch.zeros(shape), pause)  # allocates and initialises: not measured
        for _ in range(_ROUNDS):
            took = _paced_tick(engine, block, pause)
            cost = {name: min(seconds, took[name]) for name, seconds in cost.items()}
            expected = expected_tick_s(engine, {**cost, **known})
            if expected > _HOPELESS * plan.block:
                break
    engine.reset()
    engine.clear_timings()
    return expected


def _paced_tick(engine: Engine, block: torch.Tensor, pause: Pause) -> dict[str, float]:
    """One tick, with a pause after every node; returns the seconds of each node."""
    on_cpu = all(device.type == "cpu" for device in engine.devices.values())
    # The time of the thread leaves out that others had the processor. Accelerators work outside it.
    clock = time.thread_time if on_cpu else time.perf_counter
    took: dict[str, float] = {}
    engine.take_input(block)
    for step in engine.steps:
        begun, seen = clock(), time.perf_counter()
        step.run(engine.values)
        if not on_cpu:
            _wait_for_device(step)
        took[step.name] = clock() - begun
        pause(time.perf_counter() - seen)
    return took


def _wait_for_device(step: Step) -> None:
    for made in step.outputs.values():
        made[..., :1].cpu()


def _known_costs(engine: Engine, running: Engine) -> dict[str, float]:
    """Seconds of the nodes that compute the same in the running engine."""
    found: dict[str, float] = {}
    planned = {entry.name: entry for entry in running.plan.nodes}
    for entry in engine.plan.nodes:
        before = planned.get(entry.name)
        if before is None or (before.use, before.params, before.device, before.dtype) != (
            entry.use,
            entry.params,
            entry.device,
            entry.dtype,
        ):
            continue
        timing = running.by_name[entry.name].ring.summary()
        same = (before.asked, before.given) == (entry.asked, entry.given)
        if same and timing.ticks > _KNOWN_TICKS:
            found[entry.name] = 1e-3 * timing.median_ms
    return found


def expected_tick_s(engine: Engine, cost: Mapping[str, float]) -> float:
    """Seconds of a tick in which the nodes take these times, with the engine's workers.

    Args:
        engine: whose order, lanes and waits count.
        cost: seconds by node.
    """
    now = 0.0
    ends: dict[str, float] = {}
    for step in engine.schedule:
        now = max([now, *(ends[other.name] for other in step.waits if other.name in ends)])
        if step.lane and engine.pool is not None:
            branch = (step, *step.followers)
            ends[step.name] = now + sum(cost[other.name] for other in branch)
        else:
            now += cost[step.name]
    return max([now, *ends.values()])
