"""Intervals and latency of small graphs, computed by hand; see also test_alignment."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar

import pytest

from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.intervals import Interval, Request
from voicegraph.graph.node import Node, Requests
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio

Build = Callable[..., Pipeline]


def span(plan: Plan, ref: str) -> tuple[int, int]:
    """Start and end of a port's interval, in its samples."""
    spec = plan.spec(plan.port(ref))
    start, end = spec.interval.start * spec.rate, spec.interval.end * spec.rate
    assert start.denominator == end.denominator == 1
    return int(start), int(end)


def given_span(plan: Plan, name: str, port: str = "audio") -> tuple[int, int]:
    spec = plan.find(name).given[port]
    return int(spec.interval.start * spec.rate), int(spec.interval.end * spec.rate)


def test_look_back_needs_no_latency(build: Build) -> None:
    plan = build({"a": node("test.around", "input", back=30)}).compile()
    assert plan.latency.algorithmic == 0
    assert given_span(plan, "a") == (-42, 0)


def test_look_ahead_is_latency(build: Build) -> None:
    plan = build({"a": node("test.around", "input", ahead=5)}).compile()
    assert plan.latency.algorithmic == Fraction(5, 1200)
    assert plan.latency_out == 5
    assert span(plan, "a") == (-17, -5)
    assert given_span(plan, "a") == (-17, 0)


def test_a_delay_hides_the_look_ahead_before_it(build: Build) -> None:
    nodes = {
        "late": node("test.shift", "input", by=8),
        "ahead": node("test.around", "late", ahead=5),
    }
    plan = build(nodes).compile()
    assert plan.latency.algorithmic == 0
    assert span(plan, "late") == (-7, 5)  # made before its time: the delay allows it
    assert given_span(plan, "late") == (-15, -3)


def test_branches_are_time_aligned(build: Build) -> None:
    """The short branch is delayed to match the long one by the history of its edge."""
    nodes = {
        "short": node("test.shift", "input"),
        "long": node("test.around", "input", ahead=9),
        "both": node("test.sum", {"one": "short", "other": "long"}),
    }
    plan = build(nodes).compile()
    assert plan.latency_out == 9
    assert span(plan, "short") == span(plan, "long") == span(plan, "both") == (-21, -9)
    assert given_span(plan, "short") == (-21, -9)
    assert given_span(plan, "long") == (-21, 0)


def test_stream_ends_where_latest_reader_needs(build: Build) -> None:
    nodes = {
        "shared": node("test.shift", "input"),
        "now": node("test.around", "shared", back=3),
        "ahead": node("test.around", "shared", ahead=6),
        "both": node("test.sum", {"one": "now", "other": "ahead"}),
    }
    plan = build(nodes).compile()
    assert span(plan, "shared") == (-12, 0)
    assert given_span(plan, "now") == (-21, -6)
    assert given_span(plan, "ahead") == (-18, 0)


def test_window_request_covers_all_readers(build: Build) -> None:
    nodes = {
        "windows": node("test.estimate", "input", surplus=4),
        "wide": node("test.join", "windows", back=20),
        "near": node("test.join", "windows", ahead=3),
        "both": node("test.sum", {"one": "wide", "other": "near"}),
    }
    plan = build(nodes).compile()
    assert plan.latency_out == 3
    assert span(plan, "windows") == (-15 - 20 - 4, 0)
    assert given_span(plan, "wide") == (-39, -3)  # the surplus lies at its rim
    assert given_span(plan, "near") == (-15, 0)
    assert plan.find("near").given["audio"].core == Interval(Fraction(-15, 1200), Fraction(0))


def test_unrequested_outputs_remain_available(build: Build) -> None:
    """Only the windows of a node with stream and window outputs are read."""
    nodes = {"split": node("test.split", "input"), "join": node("test.join", "split.soon")}
    plan = build(nodes).compile()
    assert plan.latency_out == 2
    assert span(plan, "split.now") == span(plan, "split.soon") == (-14, -2)


def test_rounding_adds_no_unneeded_latency(build: Build) -> None:
    """3 samples of look-ahead behind a 100 Hz stream: 3 samples late, not a whole frame."""
    nodes = {
        "slow": node("test.pool", "input", by=12),
        "fast": node("test.hold", "slow", by=12),
        "ahead": node("test.around", "fast", ahead=3),
    }
    plan = build(nodes).compile()
    assert plan.latency_out == 3
    assert span(plan, "slow") == (-1, 0)
    assert given_span(plan, "ahead") == (-15, 0)


def test_rates_that_share_no_sample_but_the_block() -> None:
    """3 samples at 44.1 kHz end between two samples at 48 kHz: the request extends to the next."""
    nodes = {
        "resampled": node("dsp.resample", "input", rate=48000),
        "back": node("dsp.resample", "resampled", rate=44100),
        "ahead": node("test.around", "back", ahead=3),
    }
    plan = Pipeline(block="10ms", input={"rate": 44100}, nodes=nodes, output="ahead").compile()
    one, other = plan.find("resampled"), plan.find("back")
    assert (other.asked["out"].interval.end * 44100).denominator == 1
    assert (one.asked["out"].interval.end * 48000).denominator == 1
    assert one.asked["out"].interval.end >= other.given["audio"].interval.end
    assert one.given["audio"].interval.end == 0
    reach = Fraction(128, 44100)  # of each resampler
    least = 2 * reach + Fraction(3, 44100)
    assert least <= plan.latency.algorithmic < least + Fraction(1, 44100) + Fraction(1, 48000)


def test_the_core_is_what_the_readers_use(build: Build) -> None:
    plan = build({"w": node("test.estimate", "input"), "j": node("test.join", "w")}).compile()
    assert plan.find("w").asked["out"].core == Interval(Fraction(-1, 100), Fraction(0))


def test_latency_is_named_by_parts(build: Build) -> None:
    plan = build({"a": node("test.around", "input", ahead=6)}).compile()
    assert plan.latency.algorithmic == Fraction(6, 1200)
    assert plan.latency.buffering == Fraction(20, 1000)
    assert plan.find("a").latency == Fraction(6, 1200)


def test_long_chain_of_nodes_compiles(build: Build) -> None:
    """More nodes than Python's call stack holds frames."""
    nodes: dict[str, Any] = {"n0": node("test.shift", "input", by=-7)}
    nodes |= {f"n{i}": node("test.shift", f"n{i - 1}") for i in range(1, 200)}
    pipeline = build(nodes)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert pipeline.compile().latency_out == 7
    finally:
        sys.setrecursionlimit(limit)


# ---- nodes that answer wrongly ------------------------------------------------------------------


class Fussy(Node):
    """Needs and gives what its class attributes say."""

    needed: ClassVar[Callable[[Request], Request]]
    given_: ClassVar[Callable[[Request], Interval]]
    audio = In(Audio)
    out = Out(Audio, like="audio", window=True)

    def needs(self, params: Any, out: Request) -> Requests:
        return {"audio": type(self).needed(out)}

    def gives(self, params: Any, out: Request) -> Interval:
        return type(self).given_(out)


def fussy(needed: Any = lambda out: out, gives: Any = lambda out: out.interval) -> PipelineError:
    """The error of a pipeline with a node that needs and gives this."""
    members = {"needed": staticmethod(needed), "given_": staticmethod(gives)}
    cls = type("Fussy2", (Fussy,), members)
    nodes = {"f": node("test.fussy", "input"), "j": node("test.join", "f")}
    with registry.isolated({"test.fussy": cls}), pytest.raises(PipelineError) as caught:
        Pipeline(block="10ms", input={"rate": 1200}, nodes=nodes, output="j").compile()
    assert [p.code for p in caught.value.problems] == ["cannot-schedule"]
    return caught.value


def test_failing_needs_names_the_node() -> None:
    def needed(out: Request) -> Request:
        raise ValueError("blocks shorter than 20 ms are too short for it")

    assert "f: blocks shorter than 20 ms are too short for it" in str(fussy(needed))


def test_endless_look_ahead_is_an_error() -> None:
    future = Request.of(Fraction(0), Fraction(1, 100))
    assert "no latency up to 5.26s is enough" in str(fussy(lambda out: future))


def test_window_shorter_than_core_names_node() -> None:
    short = fussy(gives=lambda out: Interval(out.start + Fraction(1, 1200), out.end))
    assert "f gives [-9.167ms, 0s) of its `out`, but [-10ms, 0s) is needed" in str(short)
