"""Random graphs against the definition of each node applied to the whole signal at once.

Every node of ``conftest`` is known by what ``out[n]`` is; here that is evaluated without blocks,
histories or intervals. The pipeline must give exactly these numbers, ``plan.latency`` later, in
blocks of any size, and no smaller latency may be possible.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.plan import Plan

RATE = 1200
MARGIN = Fraction(3)
"""Seconds of silence before and after the signal: more than all nodes of a graph reach."""
BLOCKS = ("10ms", "20ms", "30ms", "50ms")


@dataclass(frozen=True)
class Whole:
    """A whole signal from ``-MARGIN`` on, and the time up to which ``out[n]`` must have come."""

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
    """What a node makes of whole signals."""
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


def factor(use: str, params: dict[str, int]) -> Fraction:
    """Rate out against rate in."""
    by = Fraction(params.get("by", 1))
    return {"test.pool": 1 / by, "test.hold": by}.get(use, Fraction(1)) if by > 0 else Fraction(1)


@dataclass(frozen=True)
class Graph:
    """A random graph: entries of ``nodes``, its output, and that output as a whole signal."""

    nodes: dict[str, Any]
    output: str
    samples: np.ndarray
    expected: Whole


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
STREAMS_ONLY = {"test.pool", "test.hold", "test.total", "test.split"}
RATES = {Fraction(rate) for rate in (100, 200, 300, 400, 600, 800, 900, 1200, 1800, 2400, 3600)}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    samples = np.random.default_rng(draw(st.integers(0, 99))).integers(-9, 10, 500)
    signals: dict[str, Whole] = {"input": source(samples)}
    windows: set[str] = set()
    nodes: dict[str, Any] = {}
    for number in range(draw(st.integers(1, 8))):
        use = draw(st.sampled_from(sorted(PARAMS)))
        params = draw(st.fixed_dictionaries(PARAMS[use]))
        usable = [n for n in signals if use not in STREAMS_ONLY or n not in windows]
        one = draw(st.sampled_from(usable[-4:]))
        alike = [n for n in usable if signals[n].rate == signals[one].rate]
        names = {"test.count": [], "test.sum": [one, draw(st.sampled_from(alike))]}.get(use, [one])
        if not RATES.issuperset(factor(use, params) * signals[name].rate for name in names):
            continue
        name = f"n{number}"
        signals[name] = evaluate(use, params, [signals[name] for name in names])
        if use == "test.split":
            ahead = moved(signals[one].values, -2)
            signals[f"{name}.soon"] = replace(signals[name], values=ahead)
            windows.add(f"{name}.soon")
        pure = use in ("test.shift", "test.around", "test.sum")
        if use == "test.estimate" or (pure and windows & set(names)):
            windows.add(name)
        nodes[name] = {"use": use, "params": params}
        if names:
            nodes[name]["in"] = dict(zip(("one", "other"), names, strict=False))
        if len(names) == 1:
            nodes[name]["in"] = names[0]
    streams = [name for name in nodes if name not in windows]
    output = draw(st.sampled_from(streams[-3:] or ["input"]))
    nodes = nodes or {"idle": {"use": "test.shift", "in": "input"}}
    return Graph(nodes, output, samples.astype(np.float32), signals[output])


def compiled(graph: Graph, block: str) -> Plan:
    keys: dict[str, Any] = {"block": block, "input": {"rate": RATE}}
    return Pipeline(nodes=graph.nodes, output=graph.output, **keys).compile()


def converted(plan: Plan, samples: np.ndarray, pushes: list[int]) -> np.ndarray:
    """What comes out, in pieces of these sizes over and over, and what is left at the end."""
    with plan.session(warm_up=False) as session:
        made, at = [], 0
        for size in itertools.cycle(pushes):
            made.append(session.push(samples[at : at + size]))
            at += size
            if at >= len(samples):
                break
        return np.concatenate([*made, session.flush()])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    graph=graphs(),
    block=st.sampled_from(BLOCKS),
    pushes=st.lists(st.integers(1, 150), min_size=1, max_size=4),
)
def test_pipeline_equals_the_definition(graph: Graph, block: str, pushes: list[int]) -> None:
    plan = compiled(graph, block)
    found = converted(plan, graph.samples, pushes)
    expected = graph.expected
    first = expected.zero - plan.latency_out
    count = int(len(graph.samples) * expected.rate / RATE)
    assert len(found) >= count + plan.latency_out
    np.testing.assert_array_equal(found, expected.values[first : first + len(found)])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graph=graphs(), block=st.sampled_from(BLOCKS))
def test_latency_is_the_least_possible(graph: Graph, block: str) -> None:
    """With one sample less, the newest output sample would need input that has not come."""
    plan = compiled(graph, block)
    newest = int(plan.block * plan.output_type.rate) - 1  # of a first tick without latency
    latency = plan.latency.algorithmic
    assert latency == plan.latency_out / plan.output_type.rate
    assert plan.spec(plan.output).interval.end == -latency
    assert graph.expected.needs(newest - plan.latency_out) <= plan.block
    if plan.latency_out:
        assert graph.expected.needs(newest - plan.latency_out + 1) > plan.block
