"""What a comparison of two plans tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from voicegraph.app.reports.plan_diff import diff
from voicegraph.graph.metrics.paired_benchmark import measure
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime.timing import Timing
from voicegraph.schemas.diff_report import DiffReport

Build = Callable[..., Pipeline]
PAGE = """\
before  ->  after

nodes
  + extra  dsp.gain
  - gone  dsp.gain
  ~ look  test.around -> test.shift

pipeline
  output  end.out: audio 1200 Hz x1  ->  extra.out: audio 1200 Hz x1
  seed    0                          ->  7

params
  low.db      -6.0    ->  -3.0
  look.back   0       ->  (none)
  look.ahead  12      ->  (none)
  look.by     (none)  ->  -6

wiring
  low.audio  gone.out  ->  input.audio
  end.one    look.out  ->  low.out

types and spans
  look.audio (in)  audio 1200 Hz x1, back 0 ms, ahead 10 ms  ->  audio 1200 Hz x1, back -5 ms, ahead 5 ms

placement
  end  cpu float32  ->  cuda:0 float16 (else cpu)

latency
  algorithmic  10 ms  ->  5 ms
  up to look   10 ms  ->  5 ms
  up to end    10 ms  ->  5 ms"""  # noqa: E501


@pytest.fixture
def pair(build: Build) -> tuple[Plan, Plan]:
    before: dict[str, Any] = {
        "gone": node("dsp.gain", "input"),
        "low": node("dsp.gain", "gone", db=-6),
        "look": node("test.around", "low", ahead=12),
        "end": node("test.both", {"one": "look", "other": "look"}),
    }
    after: dict[str, Any] = {
        "low": node("dsp.gain", "input", db=-3),
        "look": node("test.shift", "low", by=-6),
        "end": {
            "use": "test.both",
            "in": {"one": "low", "other": "look"},
            "device": "cuda:0",
            "dtype": "float16",
            "fallback": "cpu",
        },
        "extra": node("dsp.gain", "end"),
    }
    return build(before).compile(), build(after, seed=7).compile()


def test_differences_as_text(pair: tuple[Plan, Plan]) -> None:
    assert str(diff(*pair, names=("before", "after"))) == PAGE


def test_equal_plans_do_not_differ(pair: tuple[Plan, Plan]) -> None:
    for plan in pair:
        found = diff(plan, plan)
        assert found.same
        assert str(found).endswith("\n\nThe plans are the same.")
    assert not diff(*pair).same


def test_reversed_diff_is_the_opposite(pair: tuple[Plan, Plan]) -> None:
    there, back = diff(*pair), diff(*reversed(pair))
    assert {(c.what, c.before, c.after) for c in there.params} == {
        (c.what, c.after, c.before) for c in back.params
    }
    assert [c.what for c in there.added] == [c.what for c in back.removed]
    assert [(c.before, c.after) for c in there.latency] == [
        (c.after, c.before) for c in back.latency
    ]


def test_shifted_latency_changes_no_spans(build: Build) -> None:
    """Spans are compared with what the node makes, or one look-ahead would change every line."""
    nodes = {"a": node("dsp.gain", "input"), "b": node("test.around", "a", ahead=12)}
    plans = [build({**nodes, "c": node("dsp.gain", last)}, "c").compile() for last in ("a", "b")]
    found = diff(*plans)
    assert found.ports == ()
    assert [(c.what, c.before, c.after) for c in found.latency] == [
        ("algorithmic", "0 ms", "10 ms"),
        ("up to c", "0 ms", "10 ms"),
    ]


def test_as_dict_fits_its_model(pair: tuple[Plan, Plan]) -> None:
    timing = {"total": Timing(1.0, 2.0, 3.0, 100)}
    found = diff(*pair, timings=(timing, timing))
    report = DiffReport.model_validate(found.as_dict())
    assert report.swapped[0].what == "look"
    assert report.same is False
    assert report.block_ms == [10.0, 10.0]


def test_costs_are_compared(build: Build) -> None:
    """A node that costs the same a block of twice the length costs half."""
    one = build({"a": node("dsp.gain", "input"), "b": node("dsp.gain", "a")}).compile()
    two = build({"a": node("dsp.gain", "input")}, block="20ms").compile()
    before = {n: Timing(m, m, m, 9) for n, m in {"a": 1.0, "b": 2.0, "total": 4.0}.items()}
    after = {n: Timing(m, m, m, 9) for n, m in {"a": 1.0, "total": 2.0}.items()}
    found = diff(one, two, timings=(before, after))
    assert found.cost is not None
    assert [(c.node, c.before_ms, c.after_ms) for c in found.cost] == [
        ("a", 1.0, 1.0),
        ("b", 2.0, None),
        ("total", 4.0, 2.0),
    ]
    rows = [line.split() for line in str(found).splitlines()[-4:]]
    assert rows == [
        ["a", "1.000", "1.000", "-50", "%"],
        ["b", "2.000", "-"],
        ["total", "4.000", "2.000", "-75", "%"],
        ["share", "of", "the", "block", "40.00", "%", "10.00", "%"],
    ]


def test_measure_runs_both_plans(build: Build) -> None:
    """A plan that waits 3 ms a block costs that; both get the same time, so the other runs more."""
    fast = build({"a": node("dsp.gain", "input")}).compile()
    slow = build(
        {"a": node("dsp.gain", "input"), "b": node("test.slow", "a", wait=0.003)}
    ).compile()
    one, two = measure(fast, slow, seconds=0.05)
    assert set(one) == {"a", "total"}
    assert set(two) == {"a", "b", "total"}
    assert two["b"].median_ms >= 2.9
    assert two["total"].ticks >= 5
    assert one["total"].ticks > two["total"].ticks
