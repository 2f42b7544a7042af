"""Running order and loops: which delays close a loop, and the errors without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

Build = Callable[..., Pipeline]
BLOCK = 12  # samples of 10 ms at 1200 Hz


def echo(delay: int, **more: Any) -> dict[str, Any]:
    """``mix[n] = input[n] + mix[n - delay]``."""
    return {"mix": node("test.sum", {"one": "input", "other": "back"}),
            "back": node("test.shift", "mix", by=delay), **more}  # fmt: skip


def echoed(x: np.ndarray, delay: int) -> np.ndarray:
    out = x.astype(np.float64)
    for n in range(delay, len(out)):
        out[n] += out[n - delay]
    return out.astype(np.float32)


NOISE = np.random.default_rng(5).integers(-3, 4, 200).astype(np.float32)


def names(pipeline: Pipeline) -> list[str]:
    return [planned.name for planned in pipeline.compile().nodes]


def test_producers_precede_consumers_else_file_order(build: Build) -> None:
    nodes = {
        "last": node("test.sum", {"one": "b", "other": "a"}),
        "b": node("test.shift", "c"),
        "a": node("test.shift", "input"),
        "c": node("test.shift", "input"),
    }
    assert names(build(nodes, "last")) == ["a", "c", "b", "last"]


@settings(max_examples=40, deadline=None)
@given(delay=st.integers(BLOCK, 5 * BLOCK), pushes=st.lists(st.integers(1, 50), min_size=1))
def test_a_delay_of_a_block_or_more_closes_a_loop(delay: int, pushes: list[int]) -> None:
    plan = Pipeline(block="10ms", input={"rate": 1200}, nodes=echo(delay), output="mix").compile()
    assert plan.latency.algorithmic == 0
    assert plan.find("back").inputs["audio"].feedback
    assert not plan.find("mix").inputs["other"].feedback
    with plan.session(warm_up=False) as session:
        found, at = [], 0
        for size in pushes * len(NOISE):
            found.append(session.push(NOISE[at : at + size]))
            at += size
        found.append(session.flush())
    out = np.concatenate(found)
    expected = np.concatenate([NOISE, np.zeros(max(0, len(out) - len(NOISE)), np.float32)])
    np.testing.assert_array_equal(out, echoed(expected, delay)[: len(out)])


@pytest.mark.parametrize("first", ["back", "dry"])
def test_the_feedback_input_may_stand_first(build: Build, first: str) -> None:
    """An input still open in a loop takes the type of its `like` port."""
    inputs = (
        {"one": "back", "other": "input"} if first == "back" else {"one": "input", "other": "back"}
    )
    nodes = {"mix": node("test.sum", inputs), "back": node("test.shift", "mix", by=BLOCK)}
    with build(nodes, "mix").session(warm_up=False) as session:
        np.testing.assert_array_equal(session.push(NOISE)[:192], echoed(NOISE, BLOCK)[:192])


@pytest.mark.parametrize("swapped", [False, True])
def test_two_delays_in_a_loop_each_count_once(build: Build, swapped: bool) -> None:
    """Both edges read only the past; only the one whose reader runs first is a feedback edge."""
    chain = {
        "first": node("test.shift", "mix", by=BLOCK),
        "second": node("test.shift", "first", by=BLOCK + 1),
    }
    nodes = {"mix": node("test.sum", {"one": "input", "other": "second"})}
    nodes |= dict(reversed(chain.items())) if swapped else chain
    nodes["both"] = node("test.sum", {"one": "mix", "other": "first"})  # asks for all of `first`
    pipeline = build(nodes)
    with pipeline.session(warm_up=False) as session:
        found = session.push(NOISE)
    mix = echoed(NOISE, 2 * BLOCK + 1)[:192]
    np.testing.assert_array_equal(found, mix + np.concatenate([np.zeros(BLOCK), mix[:-BLOCK]]))
    order = names(pipeline)
    for planned in pipeline.compile().nodes:
        for link in planned.inputs.values():
            if link.feedback:
                assert order.index(planned.name) <= order.index(link.source.node)


def test_short_delays_in_a_loop_add_up(build: Build) -> None:
    nodes = {
        "mix": node("test.sum", {"one": "input", "other": "b"}),
        "a": node("test.shift", "mix", by=7),
        "b": node("test.shift", "a", by=6),
    }
    with build(nodes, "mix").session(warm_up=False) as session:
        np.testing.assert_array_equal(session.push(NOISE)[:192], echoed(NOISE, 13)[:192])


def test_a_node_may_feed_itself_through_its_own_delay(build: Build) -> None:
    nodes = {"echo": node("test.echo", {"audio": "input", "back": "echo"}, by=BLOCK)}
    with build(nodes).session(warm_up=False) as session:
        np.testing.assert_array_equal(session.push(NOISE)[:192], echoed(NOISE, BLOCK)[:192])


def test_look_ahead_in_a_loop_needs_that_much_more_delay(build: Build) -> None:
    nodes = echo(0, ahead=node("test.shift", "mix", by=-5))
    nodes["back"] = node("test.shift", "ahead", by=BLOCK + 5)
    with build(nodes, "mix").session(warm_up=False) as session:
        np.testing.assert_array_equal(session.push(NOISE)[:192], echoed(NOISE, BLOCK)[:192])
    nodes["back"] = node("test.shift", "ahead", by=BLOCK + 4)
    with pytest.raises(PipelineError, match="mix -> ahead -> back -> mix is a loop"):
        build(nodes, "mix").compile()


def test_a_loop_runs_each_stream_by_itself_and_resets(build: Build) -> None:
    x = np.stack([NOISE[None], 2 * NOISE[None, ::-1]])
    with build(echo(30), "mix").session(2, warm_up=False) as session:
        first = session.push(x)
        session.reset(stream=1)
        session.push(np.zeros((2, 1, 4), np.float32))  # to a whole block: 200 = 16 blocks + 8
        session.reset()
        again = session.push(x)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[1, 0], echoed(x[1, 0], 30)[:192])


# ---- what is refused ----------------------------------------------------------------------------

HEAD = "block: 10ms\ninput: {rate: 1200}\nnodes:\n"


def test_loop_without_delay_suggests_one(refused: Any) -> None:
    error = refused(
        HEAD + "  back: {use: dsp.gain, in: mix}\n"
        "  mix: {use: test.sum, in: {one: input, other: back}}\n"
        "output: mix\n"
    )
    (problem,) = error.problems
    assert problem.code == "loop"
    assert problem.message.startswith("back -> mix -> back is a loop")
    assert "at least one block (10ms)" in problem.message
    assert (problem.mark.line, problem.mark.column) == (4, 29)
    assert problem.fix == (
        "add to nodes:  back_2: {use: dsp.delay, in: mix, params: {time: 10ms}}\n"
        "and write  nodes.back.in: back_2"
    )


def test_too_short_delay_suggests_needed_time(refused: Any) -> None:
    error = refused(
        HEAD + "  mix: {use: test.sum, in: {one: input, other: back}}\n"
        "  ahead: {use: test.shift, in: mix, params: {by: -6}}\n"
        "  back: {use: dsp.delay, in: ahead, params: {time: 5ms}}\n"
        "output: mix\n"
    )
    (problem,) = error.problems
    assert problem.message.startswith("mix -> ahead -> back -> mix is a loop")
    assert [text for text, _ in problem.notes] == [
        "ahead looks ahead by 5ms",
        "back delays by 5ms",
    ]
    assert problem.notes[1][1].line == 6
    assert problem.fix == "nodes.back.params.time: 15ms"


def test_look_ahead_beyond_the_delay_is_a_loop_too(refused: Any) -> None:
    """Requests move later in every round and never settle."""
    error = refused(
        HEAD + "  mix: {use: test.sum, in: {one: input, other: ahead}}\n"
        "  ahead: {use: test.shift, in: mix, params: {by: -6}}\n"
        "output: mix\n"
    )
    (problem,) = error.problems
    assert problem.code == "loop"
    assert problem.message.startswith("mix -> ahead -> mix is a loop")
    assert "time: 15ms" in problem.fix


def test_loop_with_long_enough_delay_compiles(refused: Any, build: Build) -> None:
    nodes = echo(0, ahead=node("test.shift", "mix", by=-6))
    nodes["back"] = node("dsp.delay", "ahead", time="15ms")
    build(nodes, "mix").compile()


def test_each_bad_loop_is_reported_once(refused: Any) -> None:
    error = refused(
        HEAD + "  a: {use: test.sum, in: {one: input, other: good}}\n"
        "  good: {use: dsp.delay, in: a, params: {time: 10ms}}\n"
        "  b: {use: test.sum, in: {one: a, other: b_back}}\n"
        "  b_back: {use: dsp.gain, in: b}\n"
        "  c: {use: test.sum, in: {one: b, other: c_back}}\n"
        "  c_back: {use: dsp.gain, in: c}\n"
        "output: c\n"
    )
    assert [p.message.partition(" is ")[0] for p in error.problems] == [
        "b -> b_back -> b",
        "c -> c_back -> c",
    ]


def test_loop_path_is_real_with_shared_nodes(refused: Any) -> None:
    error = refused(
        HEAD + "  a: {use: test.sum, in: {one: input, other: d}}\n"
        "  b: {use: dsp.gain, in: a}\n"
        "  c: {use: dsp.gain, in: a}\n"
        "  d: {use: test.sum, in: {one: b, other: c}}\n"
        "output: d\n"
    )
    (problem,) = error.problems
    assert problem.message.startswith("a -> b -> d -> a is a loop")


def test_a_loop_that_nothing_feeds_has_no_type(refused: Any) -> None:
    error = refused(HEAD + "  a: {use: dsp.gain, in: b}\n  b: {use: dsp.delay, in: a}\noutput: a\n")
    (problem,) = error.problems
    assert problem.code == "loop"
    assert "a -> b -> a are unknown: nothing outside feeds it" in problem.message
    assert problem.mark.line == 4


def test_a_loop_of_windows_is_refused(refused: Any) -> None:
    (problem,) = refused(
        HEAD + "  sum: {use: test.sum, in: {one: input, other: windows}}\n"
        "  windows: {use: test.estimate, in: late, params: {back: 3}}\n"
        "  late: {use: test.shift, in: sum, params: {by: 24}}\n"
        "  out: {use: test.join, in: late}\noutput: out\n"
    ).problems
    assert problem.code == "loop"
    assert "sum -> late -> windows -> sum is a loop of windows" in problem.message
    assert (problem.mark.line, problem.mark.column) == (4, 48)
    assert problem.fix == (
        "add to nodes:  sola: {use: dsp.sola, in: windows}\nand write  nodes.sum.in.other: sola"
    )


def test_loop_with_joined_window_compiles(build: Build) -> None:
    """A pure node that takes a window gives windows, also inside an open loop."""
    nodes = {
        "windows": node("test.estimate", "back", ahead=2),
        "sum": node("test.sum", {"one": "windows", "other": "input"}),
        "join": node("test.join", "sum"),
        "back": node("test.shift", "join", by=BLOCK + 2),
    }
    plan = build(nodes, "join").compile()
    assert plan.find("sum").asked["out"].window
    assert not plan.find("back").asked["out"].window
    expected = np.zeros(48, np.float32)
    for n in range(48):
        past = expected[n - 14] * (n >= 14) - expected[n - 12] * (n >= 12)
        expected[n] = 2 * (past + NOISE[n])
    with plan.session(warm_up=False) as session:
        np.testing.assert_array_equal(session.push(NOISE[:48]), expected)
