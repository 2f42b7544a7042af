"""Random graphs against the definition of each node applied to the whole signal at once.

Every node of ``example_nodes`` is known by what ``out[n]`` is; here that is evaluated without
blocks, histories or intervals. The pipeline must give exactly these numbers, later by
``plan.latency``, in blocks of any size, and no smaller latency may be possible.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, Plan

RATE = 1200
MARGIN = Fraction(3)
"""Seconds of silence before and after the signal: more than any look-back or look-ahead."""
BLOCKS = ("10ms", "20ms", "30ms", "50ms")


@dataclass(frozen=True)
class Whole:
    """A whole signal from ``-MARGIN`` on, and the time up to which ``out[n]`` must be available."""

    rate: Fraction
    values: np.ndarray
    needs: Callable[[int], Fraction]

    @property
    def zero(self) -> int:
        """Index of sample 0 in ``values``."""
        return int(MARGIN * self.rate)


def moved(x: np.ndarray, by: int) -> np.ndarray:
    """``x[n - by]``, silence beyond the ends."""
    out = np.zeros_like(x)
    if by >= 0:
        out[by:] = x[: len(x) - by]
    else:
        out[:by] = x[-by:]
    return out


def evaluate(use: str, params: dict[str, int], inputs: list[Whole]) -> Whole:
    """The output of a node for whole signals."""
    if use == "test.count":
        rate = Fraction(params["rate"])
        n = np.arange(-int(MARGIN * rate), int((1 + MARGIN) * rate))
        return Whole(rate, np.where(n < 0, 0, n * 7 % 11), lambda n: (n + 1) / rate)
    first = inputs[0]
    rate, x, needs = first.rate, first.values, first.needs
    back, ahead, by = (params.get(key, 0) for key in ("back", "ahead", "by"))
    if use == "test.shift":
        return Whole(rate, moved(x, by), lambda n: needs(n - by))
    if use == "test.around":
        return Whole(rate, moved(x, back) + x - moved(x, -ahead), lambda n: needs(n + ahead))
    if use == "test.split":
        return Whole(rate, x, lambda n: needs(n + 2))  # one need for both of its outputs
    if use == "test.estimate":
        return Whole(rate, moved(x, back) - moved(x, -ahead), lambda n: needs(n + ahead))
    if use == "test.join":
        return Whole(rate, moved(x, back) + moved(x, -ahead), lambda n: needs(n + ahead))
    if use == "test.sum":
        other = inputs[1]
        return Whole(rate, x + other.values, lambda n: max(needs(n), other.needs(n)))
    if use == "test.pool":
        return Whole(rate / by, x.reshape(-1, by).sum(1), lambda n: needs(n * by + by - 1))
    if use == "test.hold":
        return Whole(rate * by, x.repeat(by), lambda n: needs(n // by))
    assert use == "test.total"
    return Whole(rate, np.cumsum(x) % 97, needs)


@dataclass(frozen=True)
class Entry:
    """One node of a random graph; ``reads`` holds a node or ``node.port`` for each input."""

    name: str
    use: str
    params: dict[str, int]
    reads: tuple[str, ...] = ()

    @property
    def factor(self) -> Fraction:
        """Rate out against rate in."""
        by = self.params.get("by", 1)
        return {"test.pool": Fraction(1, abs(by) or 1), "test.hold": Fraction(by)}.get(
            self.use, Fraction(1)
        )

    def in_file(self) -> dict[str, Any]:
        """Its entry in a pipeline."""
        entry: dict[str, Any] = {"use": self.use, "params": self.params}
        if len(self.reads) == 2:
            return {**entry, "in": dict(zip(("one", "other"), self.reads, strict=True))}
        return {**entry, "in": self.reads[0]} if self.reads else entry


@dataclass(frozen=True)
class Graph:
    """A random graph, its output, and its input: half a second of whole numbers."""

    entries: tuple[Entry, ...]
    output: str
    samples: np.ndarray

    def compile(self, block: str) -> Plan:
        nodes = {entry.name: entry.in_file() for entry in self.entries}
        keys: dict[str, Any] = {"block": block, "input": {"rate": RATE}}
        return Pipeline(nodes=nodes, output=self.output, **keys).compile()

    def expected(self) -> Whole:
        """The output as a whole signal; loops are repeated until nothing changes."""
        signals = {"input": source(self.samples)}
        signals["loop"] = replace(signals["input"], values=0 * signals["input"].values)
        while True:
            before = signals["loop"].values
            for entry in self.entries:
                inputs = [signals[name] for name in entry.reads]
                signals[entry.name] = evaluate(entry.use, entry.params, inputs)
                if entry.use == "test.split":
                    soon = moved(inputs[0].values, -2)
                    signals[f"{entry.name}.soon"] = replace(signals[entry.name], values=soon)
            if np.array_equal(signals["loop"].values, before):
                return signals[self.output]


def source(values: np.ndarray) -> Whole:
    """The pipeline's input."""
    x = np.zeros(int(RATE * (1 + 2 * MARGIN)), np.int64)
    start = int(MARGIN * RATE)
    x[start : start + len(values)] = values
    return Whole(Fraction(RATE), x, lambda n: Fraction(n + 1, RATE))


SMALL = st.integers(0, 25)
PARAMS = {
    "test.shift": {"by": st.integers(-30, 40)},
    "test.around": {"back": SMALL, "ahead": SMALL},
    "test.estimate": {"back": SMALL, "ahead": SMALL, "surplus": SMALL},
    "test.join": {"back": SMALL, "ahead": SMALL},
    "test.sum": {},
    "test.split": {},
    "test.pool": {"by": st.sampled_from([2, 3])},
    "test.hold": {"by": st.sampled_from([2, 3])},
    "test.total": {},
    "test.count": {"rate": st.sampled_from([600, 1200])},
}
PURE = {"test.shift", "test.around", "test.sum"}
STREAMS_ONLY = {"test.pool", "test.hold", "test.total", "test.split"}
RATES = {Fraction(rate) for rate in (100, 200, 300, 400, 600, 800, 900, 1200, 1800, 2400, 3600)}


@st.composite
def graphs(draw: st.DrawFn, loops: bool = False) -> Graph:
    """Up to eight nodes; with ``loops``, some may read ``loop``, a delay of other outputs."""
    rates = {"input": Fraction(RATE)} | ({"loop": Fraction(RATE)} if loops else {})
    windows: set[str] = set()
    entries: list[Entry] = []
    for number in range(draw(st.integers(1, 8))):
        use = draw(st.sampled_from(sorted(PARAMS)))
        usable = [n for n in rates if use not in STREAMS_ONLY or n not in windows]
        one = draw(st.sampled_from(usable[-4:]))
        alike = [n for n in usable if rates[n] == rates[one]]
        reads = {"test.count": (), "test.sum": (one, draw(st.sampled_from(alike)))}.get(use, (one,))
        params = draw(st.fixed_dictionaries(PARAMS[use]))
        entry = Entry(f"n{number}", use, params, reads)
        rate = entry.factor * rates[one] if reads else Fraction(params["rate"])
        if rate not in RATES:
            continue
        entries.append(entry)
        rates[entry.name] = rate
        if use == "test.split":
            rates[f"{entry.name}.soon"] = rate
            windows.add(f"{entry.name}.soon")
        if use == "test.estimate" or (use in PURE and windows & set(reads)):
            windows.add(entry.name)
    entries = entries or [Entry("n0", "test.shift", {}, ("input",))]
    streams = [entry.name for entry in entries if entry.name not in windows]
    if loops:
        back = [n for n in rates if n not in windows and rates[n] == RATE]
        # The sum modulo 97 keeps what goes round within whole numbers that float32 holds.
        entries.append(Entry("bound", "test.total", {}, (draw(st.sampled_from(back)),)))
        entries.append(Entry("loop", "test.shift", {"by": draw(st.integers(12, 400))}, ("bound",)))
        streams.append("loop")
    output = draw(st.sampled_from(streams[-3:] or ["input"]))
    samples = np.random.default_rng(draw(st.integers(0, 99))).integers(-9, 10, 500)
    return Graph(tuple(entries), output, samples.astype(np.float32))


def converted(plan: Plan, samples: np.ndarray, pushes: list[int]) -> np.ndarray:
    """The output for pushes of these sizes in rotation, and then of flush."""
    with plan.session(warm_up=False) as session:
        made, at = [], 0
        for size in itertools.cycle(pushes):
            made.append(session.push(samples[at : at + size]))
            at += size
            if at >= len(samples):
                break
        return np.concatenate([*made, session.flush()])


PUSHES = st.lists(st.integers(1, 150), min_size=1, max_size=4)


def check(plan: Plan, graph: Graph, pushes: list[int]) -> None:
    found = converted(plan, graph.samples, pushes)
    expected = graph.expected()
    first = expected.zero - plan.latency_out
    count = int(len(graph.samples) * expected.rate / RATE)
    assert len(found) >= count + plan.latency_out
    np.testing.assert_array_equal(found, expected.values[first : first + len(found)])


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(graph=graphs(), block=st.sampled_from(BLOCKS), pushes=PUSHES)
def test_pipeline_equals_the_definition(graph: Graph, block: str, pushes: list[int]) -> None:
    check(graph.compile(block), graph, pushes)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(graph=graphs(loops=True), block=st.sampled_from(BLOCKS), pushes=PUSHES)
def test_loops_equal_their_definition(graph: Graph, block: str, pushes: list[int]) -> None:
    try:
        plan = graph.compile(block)
    except PipelineError as error:
        if {problem.code for problem in error.problems} != {"loop"}:
            raise
        assume(False)  # the delay is shorter than a block and what looks ahead in the loop
    else:
        check(plan, graph, pushes)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(graph=graphs(), block=st.sampled_from(BLOCKS))
def test_latency_is_the_least_possible(graph: Graph, block: str) -> None:
    """With one sample less, the newest output sample would need future input."""
    plan = graph.compile(block)
    expected = graph.expected()
    newest = int(plan.block * plan.output_type.rate) - 1  # of a first tick without latency
    latency = plan.latency.algorithmic
    assert latency == plan.latency_out / plan.output_type.rate
    assert plan.spec(plan.output).interval.end == -latency
    assert expected.needs(newest - plan.latency_out) <= plan.block
    if plan.latency_out:
        assert expected.needs(newest - plan.latency_out + 1) > plan.block
