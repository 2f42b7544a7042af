"""Live params: checked at once, in force from the next tick, one stream or all, logged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import registry
from voicegraph.graph.errors import StateError
from voicegraph.graph.node import Live, Node, NodeParams, Tensors
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.runtime.live_params import KEPT, Change
from voicegraph.graph.signals import Audio

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


class _Checked(Node):
    """Adds ``amount``; a test decides what happens while a change is checked."""

    class Params(NodeParams):
        amount: Live[int] = 0
        other: Live[int] = 0

        def check_change(self, new: Any) -> None:
            _Checked.checks.append(threading.current_thread())
            _Checked.during_check(new.amount)

    checks: list[threading.Thread] = []
    during_check: Callable[[int], object] = staticmethod(lambda _: None)
    audio = In(Audio)
    out = Out(Audio, like="audio")
    examples = ({},)

    def process(self, inputs: Tensors, params: Params, state: Any) -> Tensors:
        return {"out": inputs["audio"] + params.amount}


@pytest.fixture
def checked(build: Build, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    monkeypatch.setattr(_Checked, "checks", [])
    with registry.isolated({"test.checked": _Checked}):
        yield build({"s": node("test.checked", "input"), "end": node("test.scale", "s", factor=0)})


def test_no_block_waits_for_a_change_that_is_being_checked(
    checked: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, allowed = threading.Event(), threading.Event()

    def check(amount: int) -> None:
        if amount == 2:
            begun.set()
            assert allowed.wait(20)

    monkeypatch.setattr(_Checked, "during_check", staticmethod(check))
    with checked.session(warm_up=False) as session:
        slow = threading.Thread(target=session.set, args=("s.amount", 2))
        slow.start()
        assert begun.wait(20)
        session.set("end.factor", 5)  # another node's change does not wait for it, either
        assert session.process(ONES)[-1] == 6
        assert session.get("s.amount") == 0
        allowed.set()
        slow.join()
        session.process(ONES)
    assert session.log == [(0, Change("end.factor", 5)), (1, Change("s.amount", 2))]


def test_a_change_handed_over_at_this_moment_is_applied_a_tick_later(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        session.set("s.factor", 10)
        with session.live_params._lock:
            assert session.process(ONES)[-1] == 3
        assert session.process(ONES)[-1] == 11


def test_changes_during_a_hot_swap_are_checked_by_their_own_thread(checked: Pipeline) -> None:
    """From the transfer of the state to the crossfade, in both engines."""
    with checked.session(warm_up=False) as session:
        session.change({"nodes.end.params.fixed": 1})
        processing = threading.current_thread()
        for i in range(60):
            setter = threading.Thread(target=session.set, args=("s.amount", i))
            setter.start()
            setter.join()
            made = session.process(ONES)
            assert made[-1] == i + 1
        assert session.plan.find("end").params.fixed == 1  # pyright: ignore[reportAttributeAccessIssue]
        assert len(_Checked.checks) > 60
        assert processing not in _Checked.checks
        assert not session.live_params.following


def test_only_the_newest_changes_are_kept(pipeline: Pipeline) -> None:
    with pipeline.session(warm_up=False) as session:
        for i in range(KEPT + 100):
            session.set("s.factor", i % 50)
            session.process(ONES)
        assert len(session.log) == KEPT
        assert session.log[-1] == (KEPT + 99, Change("s.factor", (KEPT + 99) % 50))


def test_changes_do_not_pile_up_while_nothing_is_processed(pipeline: Pipeline) -> None:
    with pipeline.session(2, warm_up=False) as session:
        for i in range(3000):
            session.set("s.factor", i % 50, stream=i % 2)
            session.set("s.high", 50 + i % 7)
        assert len(session.live_params.pending) <= 1024
        session.process(np.ones((2, 1, 12), np.float32))
        assert [session.get("s.factor", i) for i in (0, 1)] == [2998 % 50, 2999 % 50]
        assert session.get("s.high") == 50 + 2999 % 7
