"""Live params: checked at once, in force from the next tick, one stream or all, logged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph.errors import StateError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime.live_params import Change

Build = Callable[..., Pipeline]
ONES = np.ones(12, np.float32)


@pytest.fixture
def pipeline(build: Build) -> Pipeline:
    return build({"s": node("test.scale", "input", factor=2)})


def test_a_change_is_in_force_from_the_next_tick(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        assert session.process(ONES)[-1] == 3
        session.set("s.factor", 10)
        assert session.get("s.factor") == 10
        assert session.log == []
        assert session.process(ONES)[-1] == 11
        assert session.log == [(1, Change("s.factor", 10))]


def test_streams_with_equal_params_run_as_one_batch(pipeline: Pipeline) -> None:
    x = np.ones((3, 1, 12), np.float32)
    with pipeline.session(3, warm_up=False) as session:
        session.set("s.factor", 5, stream=1)
        session.set("s.factor", 7, stream=2)
        assert session.process(x)[:, 0, -1].tolist() == [3, 6, 8]
        assert [session.get("s.factor", stream) for stream in range(3)] == [2, 5, 7]
        session.set("s.factor", 4)
        assert session.process(x)[:, 0, -1].tolist() == [5, 5, 5]
        assert not isinstance(session.engine.by_name["s"].params, list)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.sampled_from([None, 0, 1]), st.integers(-9, 9), st.booleans()
        ),
        max_size=12,
    )
)
def test_streams_with_own_changes_equal_single_streams(schedule: list[Any]) -> None:
    nodes = {"s": node("test.scale", "input", factor=2), "t": node("test.total", "s")}
    plan = Pipeline(block="10ms", input={"rate": 1200}, nodes=nodes, output="t").compile()
    x = np.random.default_rng(4).integers(-9, 10, (2, 1, 72)).astype(np.float32)

    def run(streams: list[int]) -> np.ndarray:
        made = []
        with plan.session(len(streams), warm_up=False) as session:
            for tick in range(6):
                for when, which, value, reset in schedule:
                    if when != tick or (which is not None and which not in streams):
                        continue
                    stream = None if which is None else streams.index(which)
                    session.set("s.factor", value, stream)
                    if reset:
                        session.reset(stream)
                made.append(session.process(x[streams, :, 12 * tick : 12 * tick + 12]))
        return np.concatenate(made, 2)

    together = run([0, 1])
    np.testing.assert_array_equal(together[:1], run([0]))
    np.testing.assert_array_equal(together[1:], run([1]))


def test_changes_are_checked_together_with_those_that_are_pending(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        session.set("s.high", 3)
        with pytest.raises(
            StateError, match=r"s.factor cannot be 50: factor must lie in -100\.\.3"
        ):
            session.set("s.factor", 50)
        session.set("s.factor", 3)
        session.set("s.low", 3)
        session.process(ONES)
        assert [change.value for _, change in session.log] == [3, 3, 3]


def test_each_stream_is_checked_by_its_own_values(pipeline: Pipeline) -> None:
    with pipeline.session(2, warm_up=False) as session:
        session.set("s.high", 3, stream=1)
        session.set("s.factor", 50, stream=0)
        with pytest.raises(StateError, match="must lie in"):
            session.set("s.factor", 50)
        session.process(np.ones((2, 1, 12), np.float32))
        assert [session.get("s.factor", i) for i in (0, 1)] == [50, 2]


@pytest.mark.parametrize(
    ("param", "value", "text", "fix"),
    [
        (
            "s.facto",
            1,
            "there is no param s.facto; live params: s.factor, s.high, s.low",
            "s.factor",
        ),
        ("factor", 1, "there is no param factor", "s.factor"),
        ("t.factor", 1, "there is no param t.factor", "s.factor"),
        ("s.fixed", 1, "s.fixed cannot change while the session runs", "nodes.s.params.fixed"),
        ("s.factor", "x", "s.factor cannot be 'x': Input should be a valid integer", None),
        ("s.factor", 1000, "s.factor cannot be 1000: factor must lie in -100..100", None),
    ],
)
def test_wrong_changes(
    pipeline: Pipeline, param: str, value: Any, text: str, fix: str | None
) -> None:
    with pipeline.session(warm_up=False) as session:
        with pytest.raises(StateError) as caught:
            session.set(param, value)
        assert text in str(caught.value)
        assert fix is None or fix in str(caught.value.problems[0].fix)
        session.process(ONES)
        assert session.log == []


def test_values_are_logged_as_the_node_holds_them(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        session.set("s.span", "250ms")
        session.set("s.factor", np.int64(4))
        session.process(ONES)
        values = [change.value for _, change in session.log]
    assert values == [Fraction(1, 4), 4]
    assert type(values[1]) is int


def test_get_takes_params_that_are_not_live_too(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        assert session.get("s.fixed") == 0
        with pytest.raises(StateError, match=r"there is no param s\.none"):
            session.get("s.none")


def test_params_may_be_set_on_another_thread(pipeline: Pipeline) -> None:
    """No change is lost, and none comes into force in the middle of a tick."""
    with pipeline.session(warm_up=False) as session:

        def turn() -> None:
            for i in range(300):
                session.set("s.factor", i % 50)

        thread = threading.Thread(target=turn)
        thread.start()
        while thread.is_alive():
            made = session.process(ONES)
            assert len(set(made[1:].tolist())) == 1
        thread.join()
        session.process(ONES)
        assert [change.value for _, change in session.log] == [i % 50 for i in range(300)]
