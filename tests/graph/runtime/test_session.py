"""Sessions: process, push, taps, flush, reset, streams, close."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.pipeline import Pipeline, node

Build = Callable[..., Pipeline]
BLOCK = 12
NOISE = np.random.default_rng(1).integers(-9, 10, 400).astype(np.float32)


@pytest.fixture
def pipeline(build: Build) -> Pipeline:
    """A pipeline with history, windows, state, a loop and look-ahead."""
    nodes = {
        "mix": node("test.sum", {"one": "input", "other": "back"}),
        "back": node("test.shift", "mix", by=17),
        "windows": node("test.estimate", "mix", back=5, ahead=4),
        "join": node("test.join", "windows", back=3),
        "total": node("test.total", "join"),
        "scale": node("test.scale", "total", factor=3),
    }
    return build(nodes)


def blocks(x: np.ndarray) -> list[np.ndarray]:
    return [x[..., at : at + BLOCK] for at in range(0, x.shape[-1] - BLOCK + 1, BLOCK)]


# ---- push, process, flush -----------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=6).filter(any))
def test_pushes_of_any_size_equal_blocks(sizes: list[int]) -> None:
    nodes = {"a": node("test.around", "input", back=9, ahead=7), "b": node("test.total", "a")}
    plan = Pipeline(block="10ms", input={"rate": 1200}, nodes=nodes, output="b").compile()
    with plan.session(warm_up=False) as session:
        expected = np.concatenate([session.process(b) for b in blocks(NOISE)])
    with plan.session(warm_up=False) as session:
        found, at = [], 0
        while at < len(NOISE):
            for size in sizes:
                made = session.push(NOISE[at : at + size])
                assert len(made) % BLOCK == 0
                found.append(made)
                at += size
    np.testing.assert_array_equal(np.concatenate(found), expected)


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 400])
def test_with_flush_the_whole_input_comes_out(build: Build, length: int) -> None:
    plan = build({"a": node("test.shift", "input", by=-7)}).compile()
    with plan.session(warm_up=False) as session:
        made = session.push(NOISE[:length])
        tail = session.flush()
    assert plan.latency_out == 7
    assert len(made) + len(tail) == length + plan.latency_out
    out = np.concatenate([made, tail])
    expected = np.concatenate([NOISE[:length], np.zeros(7, np.float32)])
    np.testing.assert_array_equal(out[:length], expected[:length])


def test_flush_without_latency_or_rest_is_empty(build: Build) -> None:
    with build({"a": node("test.shift", "input")}).session(warm_up=False) as session:
        session.process(NOISE[:BLOCK])
        assert session.flush().shape == (0,)


def test_flush_has_form_of_newest_call(build: Build) -> None:
    with build({"a": node("test.around", "input", ahead=5)}).session(warm_up=False) as session:
        session.process(torch.from_numpy(NOISE[None, :BLOCK]))
        tail = session.flush()
    assert isinstance(tail, torch.Tensor)
    assert tail.shape == (1, 5)


def test_process_refuses_pending_samples(build: Build) -> None:
    with build({"a": node("test.shift", "input")}).session(warm_up=False) as session:
        session.push(NOISE[:5])
        with pytest.raises(StateError, match="push\\(\\) has left 5 samples pending"):
            session.process(NOISE[:BLOCK])
        session.reset()
        session.process(NOISE[:BLOCK])


def test_a_long_push_gives_what_short_ones_give(build: Build) -> None:
    """A node may return its input, which can be a history that later ticks overwrite."""
    nodes = {
        "past": node("test.around", "input", back=30),
        "pick": node("test.pick", {"one": "input", "other": "past"}),
    }
    with build(nodes).session(warm_up=False) as session:
        np.testing.assert_array_equal(session.push(NOISE[:120]), NOISE[:120])


# ---- taps ---------------------------------------------------------------------------------------


def test_taps_show_what_passed_a_port(pipeline: Pipeline) -> None:
    x = np.stack([NOISE[None], -NOISE[None]])
    with pipeline.session(2, warm_up=False) as session:
        made = session.process(x[..., :BLOCK], taps=["input", "windows", "scale.out", "mix"])
        assert list(session.taps) == ["input", "windows", "scale.out", "mix"]
        np.testing.assert_array_equal(session.taps["input"], x[..., :BLOCK])
        np.testing.assert_array_equal(session.taps["scale.out"], made)
        assert session.taps["windows"].shape == pipeline.compile().find("windows").asked[
            "out"
        ].shape(2)
        kept = session.taps["mix"].copy()
        mix = session.taps["mix"]
        session.process(x[..., BLOCK : 2 * BLOCK])
        np.testing.assert_array_equal(mix, kept)
        assert session.taps == {}


def test_taps_of_a_push_are_lists_of_a_tick_each(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        made = session.push(torch.from_numpy(NOISE[:50]), taps=["scale"])
        assert len(session.taps["scale"]) == 4
        assert all(isinstance(block, torch.Tensor) for block in session.taps["scale"])
        assert torch.equal(torch.cat(session.taps["scale"], 2)[0, 0], made)
        session.push(torch.from_numpy(NOISE[:5]), taps=["scale"])
        assert session.taps == {"scale": []}


@pytest.mark.parametrize(
    ("tap", "text"),
    [("nowhere", "nowhere: it is not in the plan"), ("mix.left", "mix has no output `left`")],
)
def test_a_tap_that_is_not_there(pipeline: Pipeline, tap: str, text: str) -> None:
    with pipeline.session(warm_up=False) as session:
        with pytest.raises(PipelineError, match=text):
            session.process(NOISE[:BLOCK], taps=[tap])
        assert session.position == 0


# ---- streams and reset --------------------------------------------------------------------------


def test_streams_give_output_of_single_streams(pipeline: Pipeline) -> None:
    x = np.stack([NOISE[None], NOISE[None, ::-1], 0 * NOISE[None]])
    with pipeline.session(3, warm_up=False) as session:
        together = session.push(x)
    for i in range(3):
        with pipeline.session(warm_up=False) as session:
            np.testing.assert_array_equal(session.push(x[i]), together[i])


def test_reset_is_a_fresh_start(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        first = session.push(NOISE[:100])
        session.reset()
        np.testing.assert_array_equal(session.push(NOISE[:100]), first)
        assert session.position == 16  # of blocks that really ran, whatever was reset between


def test_reset_of_one_stream_leaves_the_others_alone(pipeline: Pipeline) -> None:
    x = np.stack([NOISE[None, :96], 2 * NOISE[None, :96]])
    with pipeline.session(2, warm_up=False) as session:
        start = session.push(x)
        session.reset(stream=1)
        again = session.push(x)
    with pipeline.session(2, warm_up=False) as session:
        on = session.push(np.concatenate([x, x], 2))
    np.testing.assert_array_equal(again[1], start[1])
    np.testing.assert_array_equal(again[0], on[0, :, 96:])


def test_reset_of_one_stream_begins_with_that_streams_params(build: Build) -> None:
    """Its own live params are used, not those of another stream."""
    with build({"s": node("test.scale", "input")}).session(2, warm_up=False) as session:
        session.set("s.factor", 5, stream=1)
        x = np.zeros((2, 1, BLOCK), np.float32)
        session.process(x)
        session.reset(stream=1)
        made = session.process(x)
        assert made[1, 0, 0] == 5  # the state's memory begins with the factor
        session.reset()
        assert session.process(x)[:, 0, 0].tolist() == [1, 5]


def test_reset_applies_pending_changes(build: Build) -> None:
    with build({"s": node("test.scale", "input")}).session(warm_up=False) as session:
        session.set("s.factor", 5)
        session.reset()
        assert session.process(np.zeros(BLOCK, np.float32))[0] == 5


def test_streams_that_are_not_there(pipeline: Pipeline) -> None:
    with pytest.raises(StateError, match="at least 1 stream, not 0"):
        pipeline.session(0)
    with pipeline.session(2, warm_up=False) as session:
        with pytest.raises(StateError, match=r"stream 2 does not exist; streams: 0\.\.1"):
            session.reset(stream=2)
        with pytest.raises(StateError, match="stream -1 does not exist"):
            session.set("scale.factor", 2, stream=-1)


# ---- one plan, several sessions -----------------------------------------------------------------


def test_sessions_of_one_plan_do_not_disturb_one_another(pipeline: Pipeline) -> None:
    plan = pipeline.compile()
    with plan.session(warm_up=False) as alone:
        expected = alone.push(NOISE)
    with plan.session(warm_up=False) as one, plan.session(2, warm_up=False) as two:
        found = []
        two.set("scale.factor", 7)
        for block in blocks(NOISE):
            found.append(one.process(block))
            two.process(np.stack([block[None], -block[None]]))
            if len(found) == 9:
                two.reset()
    np.testing.assert_array_equal(np.concatenate(found), expected)


def test_session_works_in_any_torch_mode(pipeline: Pipeline) -> None:
    plan = pipeline.compile()
    with plan.session(warm_up=False) as plain:
        expected = plain.push(NOISE)
    with torch.inference_mode():
        session = plan.session()
        taken = session.snapshot()
        session.push(torch.from_numpy(NOISE[:50]))
    session.reset()
    np.testing.assert_array_equal(session.push(NOISE), expected)
    with torch.no_grad():
        session.push(NOISE[:50])
        session.restore(taken)
    np.testing.assert_array_equal(session.push(NOISE), expected)
    session.close()


def test_warm_up_leaves_no_trace(pipeline: Pipeline) -> None:
    plan = pipeline.compile()
    with plan.session(warm_up=False) as cold, plan.session() as warm:
        np.testing.assert_array_equal(warm.push(NOISE), cold.push(NOISE))
        assert warm.timings()["total"].ticks == len(NOISE) // BLOCK


# ---- timings and closing ------------------------------------------------------------------------


def test_timings_name_every_node_and_the_whole(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        session.push(NOISE)
        found = session.timings()
    names = {planned.name for planned in pipeline.compile().nodes}
    assert set(found) == names | {"total"}
    assert all(timing.ticks == 33 for timing in found.values())


def test_closed_session_refuses_blocks(pipeline: Pipeline) -> None:
    session = pipeline.session(warm_up=False)
    session.close()
    session.close()
    for use in (session.process, session.push):
        with pytest.raises(StateError, match="this session is closed"):
            use(NOISE[:BLOCK])


def test_position_counts_blocks(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        session.push(NOISE[:30])
        assert session.position == 2


# ---- memory -------------------------------------------------------------------------------------


_PARTS = 3


def _traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def grown(pipeline: Pipeline, ticks: int) -> int:
    """Bytes that Python's memory grew by, after a run-in, if all of it grew as its steadiest part.

    A leak shows in every part. What a library or another thread keeps once shows in one of them.
    """
    block = NOISE[:BLOCK]
    with pipeline.session(workers=False) as session:
        for _ in range(ticks // 4):
            session.process(block)
        tracemalloc.start()
        try:
            sizes = [_traced()]
            for _ in range(_PARTS):
                for _ in range(ticks // _PARTS):
                    session.process(block)
                sizes.append(_traced())
            return _PARTS * min(after - before for before, after in itertools.pairwise(sizes))
        finally:
            tracemalloc.stop()


def test_memory_does_not_grow(pipeline: Pipeline) -> None:
    assert grown(pipeline, 3000) < 16384


@pytest.mark.slow
def test_memory_does_not_grow_in_a_long_run(pipeline: Pipeline) -> None:
    assert grown(pipeline, 100_000) < 16384
