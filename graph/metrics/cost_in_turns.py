"""Computing time of one plan, or of two that take turns, with intervals.

Other programs slow down a processor for seconds at a time, and where the memory of a plan and of a
session lies decides a percent or two for as long as they live. So blocks of one run are no
independent measurements. Here a *repetition* is: both plans are loaded and opened anew, and take
turns A B B A in short runs on the same speech, which cancels a drift. Intervals are over
repetitions.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from time import perf_counter_ns, thread_time_ns
from typing import Any

import numpy as np

from voicegraph.schemas.engine_setup import EngineSetup

from ..node import Node
from ..pipeline import Plan
from ..runtime.session import Session
from ._weight_memory import weight_bytes
from .benchmark import speech_blocks

_RUN = 4
"""Measured blocks of one side before the other has its turn; the block before them is not counted,
since it finds the caches full of the other side's memory."""
_TURNS = 2
"""Runs of each side in a repetition: A B B A."""
_FEWEST_REPETITIONS = 8
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class SystemCost:
    """Times of one plan, in nanoseconds, ``[repetitions, blocks]``.

    Attributes:
        block_s: the block in seconds.
        cpu: CPU time of the thread that processes.
        wall: time by the clock.
        nodes: CPU time of each node by name.
        weights_bytes: memory of weights and tables.
        state_bytes: memory of states and histories of one stream.
    """

    block_s: float
    cpu: np.ndarray
    wall: np.ndarray
    nodes: Mapping[str, np.ndarray]
    weights_bytes: int
    state_bytes: int


def repetitions_for(blocks: int) -> int:
    """Repetitions in which at least so many blocks of each side are measured.

    Their number is even: in half of them, each side comes first.
    """
    return max(_FEWEST_REPETITIONS, 2 * -(-blocks // (2 * _RUN * _TURNS)))


def measure_in_turns(
    systems: Sequence[Callable[[], tuple[Plan, EngineSetup]]], blocks: int = 100
) -> list[SystemCost]:
    """Measures one plan, or two in turns, on speech; each on one thread without workers.

    Args:
        systems: make one plan, or two: new ones each time, with their threads and precisions.
        blocks: blocks of each that are measured at least.

    Raises:
        VoicegraphError: if a session cannot be opened, or a node fails.
    """
    sides = [_Side(make) for make in systems]
    for number in range(repetitions_for(blocks)):
        order = sides if number % 2 == 0 else sides[::-1]
        with ExitStack() as stack:
            for side in order:
                side.open(stack)
            for side in (*order, *reversed(order)):
                side.run()
    return [side.cost() for side in sides]


class _Side:
    """One system: its plan and session of this repetition, and its times so far."""

    def __init__(self, make: Callable[[], tuple[Plan, EngineSetup]]) -> None:
        self.make = make
        self.times: list[list[tuple[int, int]]] = []
        self.nodes: dict[str, list[list[int]]] = {}
        self.weights_bytes = self.state_bytes = 0
        self.block_s = 0.0

    def open(self, stack: ExitStack) -> None:
        """Loads the plan, opens a session, and runs a few blocks that do not count."""
        self.plan, setup = self.make()
        self.session = stack.enter_context(
            Session(self.plan, warm_up=False, workers=False, write_files=False, setup=setup)
        )
        self.feed = speech_blocks(self.plan, 1)
        self.block_s = float(self.plan.block)
        self.weights_bytes = weight_bytes(*(planned.node for planned in self.plan.nodes))
        tensors = self.session.engine.tensors().values()
        self.state_bytes = sum(t.numel() * t.element_size() for t in tensors)
        for block in islice(self.feed, _WARM_UP):
            self.session.process(block)
        self.times.append([])
        for planned in self.plan.nodes:
            self.nodes.setdefault(planned.name, []).append([])

    def run(self) -> None:
        """Processes a run of blocks, all but the first of which are measured."""
        self.session.process(next(self.feed))
        process = self.session.process
        with _without_collection(), _timed({p.name: p.node for p in self.plan.nodes}) as spent:
            for block in islice(self.feed, _RUN):
                before = dict(spent)
                wall, cpu = perf_counter_ns(), thread_time_ns()
                process(block)
                cpu, wall = thread_time_ns() - cpu, perf_counter_ns() - wall
                self.times[-1].append((cpu, wall))
                for name, rows in self.nodes.items():
                    rows[-1].append(spent[name] - before[name])

    def cost(self) -> SystemCost:
        """Everything that was measured."""
        times = np.array(self.times, np.int64)
        return SystemCost(
            self.block_s,
            times[..., 0],
            times[..., 1],
            {name: np.array(rows, np.int64) for name, rows in self.nodes.items()},
            self.weights_bytes,
            self.state_bytes,
        )


@contextmanager
def _without_collection() -> Iterator[None]:
    """No garbage collection in the middle of a block."""
    enabled = gc.isenabled()
    gc.collect(0)
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def _timed(nodes: Mapping[str, Node[Any, Any]]) -> Iterator[dict[str, int]]:
    """Counts the CPU time of each node's ``process`` in nanoseconds, by name."""
    spent = dict.fromkeys(nodes, 0)
    for name, node in nodes.items():
        node.process = _counting(node.process, spent, name)
    try:
        yield spent
    finally:
        for node in nodes.values():
            del node.process


def _counting(process: Any, spent: dict[str, int], name: str) -> Any:
    def timed(inputs: Any, params: Any, state: Any) -> Any:
        begun = thread_time_ns()
        made = process(inputs, params, state)
        spent[name] += thread_time_ns() - begun
        return made

    return timed
