"""Measures a plan block by block: every node, the engine between them, and the whole call."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from itertools import islice
from time import perf_counter, perf_counter_ns
from typing import Any

import numpy as np
import torch

from voicegraph.schemas.bench_report import (
    BenchReport,
    CostReport,
    MachineReport,
    MemoryReport,
    NodeCostReport,
)

from .. import machine, registry
from ..files.sound import bundled_recording
from ..node import Node, Tensors
from ..pipeline import Pipeline, Plan, node
from ..ports import In, Out
from ..runtime.session import Session
from ..runtime.timing import KEPT
from ..signals import Audio
from ..startup_stages import end_stages
from ._weight_memory import weight_bytes

_WARM_UP = 20
"""Blocks of speech before the measured ones, to fill caches and to raise the CPU clock."""
_AIM_S = 5.0
"""Duration of a measurement in seconds, if no number of blocks is given."""
_FEWEST, _MOST = 50, 20_000
_PARTS, _PART = 20, 5
"""The undisturbed time is the lowest median of so many parts of a run, of at least so many blocks:
of fewer it would be the fastest block, which a lucky one decides."""
_CHAIN = 10
_PASS = "bench.pass"


class Pass(Node):
    """Passes audio through, for the cost of a call alone."""

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        """Returns the input tensor."""
        return {"out": inputs["audio"]}


def engine_plan(threads: int | None = None) -> Plan:
    """Ten nodes that pass audio through in blocks of 10 ms: the cost of the engine itself.

    Their class is registered only while the plan is compiled, so that pipelines cannot use it.
    """
    with registry.isolated({_PASS: Pass}):
        nodes = {f"pass{i}": node(Pass, f"pass{i - 1}" if i else "input") for i in range(_CHAIN)}
        last = f"pass{_CHAIN - 1}"
        pipeline = Pipeline(name="engine", block="10ms", nodes=nodes, output=last, threads=threads)
        return pipeline.compile()


def measure(
    plan: Plan, *, blocks: int | None = None, streams: int = 1, workers: bool = True
) -> BenchReport:
    """Measures a session of a plan on speech, repeated as often as necessary.

    Args:
        plan: what to measure.
        blocks: number of blocks after the warm-up; None takes as many as fit into about 5 s.
        streams: independent streams; each starts at another position of the recording.
        workers: let the session move nodes to worker threads if that saves time; without them, and
            with ``threads: 1`` in the pipeline, everything runs on one core.

    Raises:
        VoicegraphError: if the session cannot be opened.
    """
    begun = perf_counter()
    with plan.session(streams, workers=workers, write_files=False) as session:
        end_stages()
        setup = perf_counter() - begun
        feed = speech_blocks(plan, streams)
        wanted = blocks or _affordable(session, feed)
        for block in islice(feed, _WARM_UP):
            session.process(block)
        times = _Times(session, wanted)
        before = machine.resident_bytes()
        while times.count < wanted:
            # The session keeps only the newest times: fetch them before they are overwritten.
            times.run(islice(feed, min(wanted - times.count, KEPT)))
        after = machine.resident_bytes()
        return _report(times, setup, (before, after))


def _affordable(session: Session, feed: Iterator[np.ndarray]) -> int:
    begun = perf_counter()
    for block in islice(feed, _WARM_UP):
        session.process(block)
    each = (perf_counter() - begun) / _WARM_UP
    return min(max(int(_AIM_S / each), _FEWEST), _MOST)


def speech_blocks(plan: Plan, streams: int) -> Iterator[np.ndarray]:
    """Endless blocks: ``[samples]`` of one mono stream, else ``[streams, channels, samples]``."""
    recording = bundled_recording.speech(plan.source)
    count, length = plan.samples_in, recording.shape[1]
    # The start is appended to the end, so that every block is a slice without a copy.
    looped = np.take(recording, np.arange(length + count), axis=1, mode="wrap")
    starts = [i * (length // streams) for i in range(streams)]
    while True:
        slices = [looped[:, start : start + count] for start in starts]
        yield slices[0][0] if streams == len(recording) == 1 else np.stack(slices)
        starts = [(start + count) % length for start in starts]


class _Times:
    """Nanoseconds of every measured block: of the call, and of each node.

    All memory is taken at the beginning, so that none of it counts as growth.
    """

    def __init__(self, session: Session, blocks: int) -> None:
        self.session = session
        self.count = 0
        self.whole = np.full(blocks, -1)
        self.nodes = {planned.name: np.full(blocks, -1) for planned in session.plan.nodes}

    def run(self, feed: Iterator[np.ndarray]) -> None:
        """Runs at most as many blocks as the ring buffer keeps."""
        engine, process = self.session.engine, self.session.process
        engine.clear_timings()
        first = self.count
        for block in feed:
            begun = perf_counter_ns()
            process(block)
            self.whole[self.count] = perf_counter_ns() - begun
            self.count += 1
        for step in engine.steps:
            kept = np.asarray(step.ring.values[: step.ring.count])
            self.nodes[step.name][first : self.count] = kept


def _report(times: _Times, setup: float, resident: tuple[int | None, int | None]) -> BenchReport:
    session, plan = times.session, times.session.plan
    weights = {planned.name: weight_bytes(planned.node) for planned in plan.nodes}
    together = weight_bytes(*(planned.node for planned in plan.nodes))
    all_of_it = times.whole.sum()
    before, after = resident
    overlap = any(step.lane for step in session.engine.steps)
    rest = times.whole - sum(times.nodes.values())
    return BenchReport(
        pipeline=plan.name,
        plan=plan.hash,
        machine=describe_machine(),
        threads=session.engine.threads,
        setup=session.setup,
        streams=session.streams,
        block_ms=float(plan.block * 1000),
        blocks=len(times.whole),
        setup_s=setup,
        nodes=[
            NodeCostReport(
                name=planned.name,
                use=planned.use,
                share=float(times.nodes[planned.name].sum() / all_of_it),
                weights_bytes=weights[planned.name],
                **_quantiles(times.nodes[planned.name]),
            )
            for planned in plan.nodes
        ],
        engine=None if overlap else CostReport(**_quantiles(rest)),
        whole=CostReport(**_quantiles(times.whole)),
        undisturbed_ms=undisturbed_ms(times.whole),
        real_time_factor=float(all_of_it / 1e9 / (len(times.whole) * plan.block)),
        memory=MemoryReport(
            resident_bytes=after,
            growth_bytes=None if before is None or after is None else after - before,
            weights_bytes=together,
        ),
        notes=list(session.notes),
    )


def _quantiles(nanoseconds: np.ndarray) -> dict[str, float]:
    middle, high, top = np.percentile(nanoseconds / 1e6, [50, 99, 100])
    return {"median_ms": float(middle), "p99_ms": float(high), "max_ms": float(top)}


def undisturbed_ms(nanoseconds: np.ndarray) -> float:
    """Time of a block without load of other programs, of the times ``[blocks]`` in ns.

    The lowest median of 20 successive parts of the run, of at least 5 blocks each.
    """
    count = min(_PARTS, max(len(nanoseconds) // _PART, 1))
    parts = np.array_split(nanoseconds, count)
    return float(min(np.median(part) for part in parts) / 1e6)


def describe_machine() -> MachineReport:
    """The facts about this machine that affect speed."""
    return MachineReport(
        cpu=machine.cpu_model(),
        cores=machine.cores(),
        system=machine.system(),
        python=platform.python_version(),
        torch=torch.__version__,
        numpy=np.__version__,
    )
