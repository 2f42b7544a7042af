"""Before the first block: loads weights, warms up at true shapes, chooses a thread layout."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
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
from ._layout_trial import choose_layout
from ._node_failure import node_failure

if TYPE_CHECKING:
    from ..plan import CompiledPlan, PlannedNode
    from .engine import Engine

_guard = Lock()
_loading: WeakKeyDictionary[Node, Lock] = WeakKeyDictionary()
"""First node of a plan -> lock: several threads may open sessions of one plan at the same time."""
_ROUNDS = 5
_LONGEST_NS = 2_000_000_000
"""No further round starts after this time: long blocks need fewer rounds for a stable median."""


def load_weights(
    plan: CompiledPlan,
    devices: dict[str, torch.device],
    precisions: Mapping[str, PrecisionChoice] = MappingProxyType({}),
) -> None:
    """Loads every node's weights to its device, once per plan for all its sessions.

    A node whose precision is `auto` chooses it here, by a trial with the threads of this session.
    It takes that of ``precisions`` instead, if there is one and this machine has it: a replay uses
    what was used, and a swap what is in use.

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


def _load(
    planned: PlannedNode, device: torch.device, given: PrecisionChoice | None
) -> PrecisionChoice:
    """Loads one node, and says in which precision."""
    node, params = planned.node, planned.params
    node.device = device
    node.prepare(params)
    if planned.dtype != AUTO:
        chosen = PrecisionChoice(planned.dtype)
    elif given is not None and node.has_precision(given.dtype, device):
        chosen = given
    else:
        chosen = node.choose_precision(params, device)
    node.dtype = torch_dtype(chosen.dtype)
    node.load(params, device, node.dtype)
    return chosen


def warm_up(engine: Engine) -> tuple[float, torch.Tensor]:
    """Runs one block of silence, then noise.

    Returns:
        The median nanoseconds of a tick of noise, and that block of noise.
    """
    source = engine.plan.source
    shape = (engine.streams, source.channels, engine.plan.samples_in)
    size = shape[0] * shape[1] * shape[2]
    noise = torch.from_numpy(random.normal(0, "warm-up", 0, 0, size)).view(shape) * 0.1
    times = []
    with torch.inference_mode():
        engine.tick(torch.zeros(shape))
        for _ in range(_ROUNDS):
            begun = perf_counter_ns()
            engine.tick(noise).cpu()
            times.append(perf_counter_ns() - begun)
            if sum(times) > _LONGEST_NS:
                break
    return statistics.median(times), noise


def prepare(engine: Engine, notes: list[str], workers: bool) -> float:
    """Warms up, chooses a thread layout if ``workers``, and resets state and timings.

    Returns:
        The median nanoseconds of a tick without workers.
    """
    begin_stage("warming up")
    unassisted, noise = warm_up(engine)
    if workers and (note := choose_layout(engine, noise)) is not None:
        notes.append(note)
    engine.reset()
    engine.clear_timings()
    return unassisted
