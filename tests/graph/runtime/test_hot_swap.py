"""Hot swap: changes of nodes, voices and settings while a session runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from voicegraph import Pipeline
from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError, StateError, VoicegraphError
from voicegraph.graph.node import Node, NodeParams, Tensors
from voicegraph.graph.pipeline import node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.runtime.hot_swap import HotSwap, plan_change
from voicegraph.graph.runtime.session import Session
from voicegraph.graph.signals import Audio

from ...tolerance import SAMPLES, assert_close

RATE = 16000
BLOCK = 160


def _pipeline(**nodes: Any) -> Pipeline:
    first = {"loud": node("dsp.gain", "input", db=6.0), "end": node("dsp.gain", "loud", db=0.0)}
    return Pipeline(block="10ms", input={"rate": RATE}, nodes={**first, **nodes}, output="end")


def _sine(count: int, frequency: float = 440.0) -> np.ndarray:
    return (0.25 * np.sin(2 * np.pi * frequency / RATE * np.arange(count))).astype(np.float32)


def _run(session: Session, audio: np.ndarray, ticks: range) -> np.ndarray:
    made = [session.process(audio[i * BLOCK : (i + 1) * BLOCK]) for i in ticks]
    return np.concatenate(made)


def test_swap_crossfades_without_a_gap() -> None:
    audio = _sine(100 * BLOCK)
    with _pipeline().session() as session:
        before = _run(session, audio, range(20))
        swap = session.change({"nodes.loud.enabled": False})
        after = _run(session, audio, range(20, 100))
    assert (swap.begun_at, swap.switched_at) == (20, 50)
    heard = np.concatenate((before, after))
    assert_close(heard[: 50 * BLOCK], 10 ** (6 / 20) * audio[: 50 * BLOCK], SAMPLES)
    assert np.array_equal(heard[51 * BLOCK :], audio[51 * BLOCK :])
    slope = 2 * np.pi * 440 / RATE * 0.25 * 10 ** (6 / 20)
    fade = 0.25 * (10 ** (6 / 20) - 1) * np.pi / 2 / BLOCK
    assert np.abs(np.diff(heard)).max() < slope + fade
    assert swap.over.is_set()


def test_swap_to_identical_pipeline_is_inaudible() -> None:
    rng = np.random.default_rng(1)
    audio = rng.uniform(-0.5, 0.5, 600 * BLOCK).astype(np.float32)
    pipeline = Pipeline(
        block="10ms",
        input={"rate": RATE},
        nodes={
            "low": node("dsp.highpass", "input", cutoff=100.0),
            "late": node("dsp.delay", "low", time="333ms"),
            "up": node("dsp.resample", "late", rate=48000),
            "limit": node("dsp.limiter", "up"),
            "spare": node("dsp.gain", "limit", db=0.0),
        },
        output="spare",
    )
    with pipeline.session() as session:
        expected = np.concatenate(
            [session.process(audio[i * BLOCK : (i + 1) * BLOCK]) for i in range(600)]
        )
    with pipeline.session() as session:
        heard = [session.process(audio[i * BLOCK : (i + 1) * BLOCK]) for i in range(50)]
        swap = session.change({"nodes.spare.enabled": False})
        heard += [session.process(audio[i * BLOCK : (i + 1) * BLOCK]) for i in range(50, 600)]
    assert swap.switched_at is not None
    assert np.array_equal(np.concatenate(heard), expected)


@pytest.mark.parametrize("enabled", [False, True])
def test_swap_keeps_latency_of_session(enabled: bool) -> None:
    audio = _sine(200 * BLOCK)
    ahead = {"end": node("dsp.limiter", "loud", ceiling=0.0)}
    pipeline = _pipeline(loud=node("dsp.gain", "input", db=0.0), **ahead)
    plan = pipeline.compile()
    lag = plan.latency_out
    assert lag > 0
    if enabled:
        plan = pipeline.changed({"nodes.end.enabled": False}).compile(
            latency=plan.latency.algorithmic
        )
    assert plan.latency_out == lag
    with plan.session() as session:
        before = _run(session, audio, range(20))
        swap = session.change({"nodes.end.enabled": enabled})
        after = _run(session, audio, range(20, 200))
    assert swap.switched_at is not None
    heard = np.concatenate((before, after))
    assert_close(heard[lag:], audio[: len(heard) - lag], SAMPLES)


def test_override_of_use_swaps_node() -> None:
    audio = _sine(150 * BLOCK)
    with _pipeline().session() as session:
        before = _run(session, audio, range(10))
        swap = session.swap("loud", "dsp.limiter", {"ceiling": -20.0, "lookahead": "0ms"})
        after = _run(session, audio, range(10, 150))
        assert session.plan.find("loud").use == "dsp.limiter"
    assert swap.switched_at is not None
    assert np.abs(before).max() > 0.4
    assert np.abs(after[100 * BLOCK :]).max() <= 0.1 + 1e-6


def test_swap_of_unknown_names_changes_nothing() -> None:
    with _pipeline().session() as session:
        plan = session.plan
        for node_, use in (("lowd", "dsp.gain"), ("loud", "dsp.gian")):
            with pytest.raises(VoicegraphError, match=r"loud|dsp\.gain"):
                session.swap(node_, use)
        assert session.plan is plan
        assert session.overrides == {}


def test_changes_add_up_and_can_be_undone() -> None:
    audio = _sine(400 * BLOCK)
    with _pipeline().session() as session:
        plan = session.plan.hash
        session.change({"nodes.loud.params.db": 12})
        _run(session, audio, range(100))
        session.change({"nodes.end.enabled": False})
        _run(session, audio, range(100, 200))
        assert session.overrides == {"nodes.loud.params.db": 12, "nodes.end.enabled": False}
        assert session.get("loud.db") == 12
        assert session.plan.bypassed == ("end",)
        back = HotSwap(session, plan_change(session, {}, complete=True), {})
        session.begin_swap(back)
        _run(session, audio, range(200, 300))
        assert (session.plan.hash, session.overrides) == (plan, {})


def test_live_params_survive_a_swap_unless_changed() -> None:
    audio = _sine(200 * BLOCK)
    with _pipeline().session(streams=2) as session:
        both = np.stack([audio[None], audio[None]])
        session.set("loud.db", -20)
        session.set("end.db", -3, stream=1)
        session.process(both[:, :, :BLOCK])
        session.change({"nodes.loud.params.db": -40})
        session.set("end.db", -6, stream=1)  # while it runs along
        for i in range(1, 60):
            heard = session.process(both[:, :, i * BLOCK : (i + 1) * BLOCK])
        assert session.plan.find("loud").params.db == -40  # pyright: ignore[reportAttributeAccessIssue]
        assert (session.get("loud.db"), session.get("end.db", 0), session.get("end.db", 1)) == (
            -40,
            0,
            -6,
        )
        assert np.abs(heard[1]).max() == pytest.approx(np.abs(heard[0]).max() * 10 ** (-6 / 20))
        session.set("end.db", -9)
        session.process(both[:, :, :BLOCK])
        assert session.get("end.db", 1) == -9


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"block": "20ms"}, "other-block"),
        ({"nodes.late": {"use": "dsp.limiter", "in": "end"}, "output": "late"}, "more-latency"),
        (
            {
                "nodes.up": {"use": "dsp.resample", "in": "end", "params": {"rate": 48000}},
                "output": "up",
            },
            "other-output",
        ),
        ({"threads": 1}, "other-threads"),
    ],
)
def test_swap_that_does_not_fit_is_refused(overrides: dict[str, Any], code: str) -> None:
    with _pipeline().session() as session:
        with pytest.raises(StateError) as caught:
            session.change(overrides)
        assert caught.value.problems[0].code == code
        assert caught.value.problems[0].fix
        _run(session, _sine(BLOCK), range(1))
        assert session.overrides == {}


def test_swap_reports_mistakes_of_the_file() -> None:
    with _pipeline().session() as session:
        with pytest.raises(PipelineError, match="no node nix"):
            session.change({"nodes.nix.use": "dsp.gain"})
        session.change({"nodes.end.enabled": False})
        with pytest.raises(StateError, match="in progress"):
            session.change({"nodes.loud.enabled": False})


class _Failing(Node):
    """Fails, or gives NaN, after a number of ticks."""

    class Params(NodeParams):
        after: int = 8
        nan: bool = False

    audio = In(Audio)
    out = Out(Audio, like="audio")
    examples = ({},)

    def process(self, inputs: Tensors, params: Params, state: Any) -> Tensors:
        self.runs = getattr(self, "runs", 0) + 1
        if self.runs > params.after and params.nan:
            return {"out": inputs["audio"] * float("nan")}
        if self.runs > params.after:
            raise RuntimeError("no more")
        return {"out": inputs["audio"] * 1.0}


@pytest.fixture
def failing() -> Iterator[str]:
    with registry.isolated({"test.failing": _Failing}):
        yield "test.failing"


@pytest.mark.parametrize("nan", [False, True])
@pytest.mark.parametrize("after", [8, 36])
def test_failed_swap_leaves_session_unchanged(failing: str, nan: bool, after: int) -> None:
    audio = _sine(100 * BLOCK)
    with _pipeline().session() as session:
        expected = _run(session, audio, range(100))
    with _pipeline().session() as session:
        before = _run(session, audio, range(20))
        new = {"nodes.end.use": failing, "nodes.end.params": {"after": after, "nan": nan}}
        swap = session.change(new)
        heard = np.concatenate((before, _run(session, audio, range(20, 100))))
        assert swap.failed is not None
        assert swap.switched_at is None
        assert session.overrides == {}
    assert np.array_equal(heard, expected)


def test_priming_on_own_thread_gives_same_output() -> None:
    rng = np.random.default_rng(3)
    audio = rng.uniform(-0.5, 0.5, 300 * BLOCK).astype(np.float32)
    overrides = {"nodes.end": {"use": "dsp.highpass", "in": "loud", "params": {"cutoff": 200.0}}}
    with _pipeline().session() as session:
        before = _run(session, audio, range(20))
        swap = HotSwap(session, plan_change(session, overrides), overrides, alone=True)
        session.begin_swap(swap)
        thread = threading.Thread(target=swap.prime)
        thread.start()
        tick, made = 20, [before]
        while not swap.over.is_set() and tick < 300:
            made.append(_run(session, audio, range(tick, tick + 1)))
            tick += 1
            with swap._progress:  # as a block's time would do
                swap._progress.wait_for(lambda: swap._done == swap._fed, 5)
        thread.join()
        made.append(_run(session, audio, range(tick, 300)))
    switched = swap.switched_at
    with _pipeline().session() as session:
        before = _run(session, audio, range(20))
        again = HotSwap(session, plan_change(session, overrides), overrides, fade_at=switched)
        session.begin_swap(again)
        expected = np.concatenate((before, _run(session, audio, range(20, 300))))
    assert again.switched_at == switched
    assert np.array_equal(np.concatenate(made), expected)


def test_new_engine_that_is_always_a_block_behind_ends_the_swap() -> None:
    overrides = {"nodes.loud.enabled": False}
    with _pipeline().session() as session:
        swap = HotSwap(session, plan_change(session, overrides), overrides, alone=True)
        session.begin_swap(swap)
        ticks = 0
        while not swap.over.is_set() and ticks < 1000:
            session.process(np.zeros(BLOCK, np.float32))
            while len(swap._queue) > 1:
                swap._prime_one(*swap._queue.popleft())
            ticks += 1
        assert "too slow" in str(swap.failed)
        assert ticks == 30 + 400 + 1  # primed for 0.3 s, then waited for 4 s
        assert session.overrides == {}


def _primed_by_hand(session: Session) -> HotSwap:
    """A swap whose new engine is primed and has caught up, and that nobody primes further."""
    overrides = {"nodes.loud.enabled": False}
    swap = HotSwap(session, plan_change(session, overrides), overrides, alone=True)
    session.begin_swap(swap)
    while not swap._ready():
        session.process(np.full(BLOCK, 0.25, np.float32))
        swap._prime_one(*swap._queue.popleft())
    return swap


def test_new_engine_that_misses_a_crossfade_gets_another_chance() -> None:
    with _pipeline().session() as session:
        expected = session.process(np.full(BLOCK, 0.25, np.float32))
        swap = _primed_by_hand(session)
        missed = session.process(np.full(BLOCK, 0.25, np.float32))
        assert missed[-1] == pytest.approx(expected[-1], abs=1e-3)
        assert not swap.over.is_set()
        swap._prime_one(*swap._queue.popleft())
        priming = threading.Thread(target=swap.prime)
        priming.start()
        ticks = 0
        while not swap.over.is_set() and ticks < 100:
            session.process(np.full(BLOCK, 0.25, np.float32))
            ticks += 1
        priming.join()
        assert swap.failed is None
        assert session.swaps == 1


def test_new_engine_computes_while_the_session_is_idle_unless_it_is_urgent() -> None:
    idle = Mock()
    with _pipeline().session() as session:
        swap = _primed_by_hand(session)
        for urgent in (False, True):
            session.process(np.zeros(BLOCK, np.float32))
            block, changes, _ = swap._queue.popleft()
            swap._prime_one(block, changes, urgent, idle)
        idle.wait.assert_called_once_with(0.01)
        session.process(np.zeros(BLOCK, np.float32))
        session.process(np.zeros(BLOCK, np.float32))  # behind by a block: there is no time to wait
        block, changes, _ = swap._queue.popleft()
        swap._prime_one(block, changes, False, idle)
        idle.wait.assert_called_once()


@pytest.mark.parametrize("how", ["reset", "close", "restore"])
def test_reset_close_or_restore_cancels_swap(how: str) -> None:
    with _pipeline().session() as session:
        snapshot = session.snapshot()
        swap = session.change({"nodes.end.enabled": False})
        session.restore(snapshot) if how == "restore" else getattr(session, how)()
        assert swap.over.is_set()
        assert isinstance(swap.failed, VoicegraphError)
        with pytest.raises(StateError):
            swap.prime()


def test_prepared_engine_can_be_used_again() -> None:
    audio = _sine(300 * BLOCK)
    with _pipeline().session() as session:
        there = session.change({"nodes.loud.enabled": False})
        _run(session, audio, range(100))
        back = session.change({"nodes.loud.enabled": True})
        _run(session, audio, range(100, 200))
        plan, overrides = there.plan, there.overrides
        assert back.retired is there.engine
        there = HotSwap(session, plan, overrides, engine=there.engine)
        session.begin_swap(there)
        heard = _run(session, audio, range(200, 300))
    assert back.switched_at is not None
    assert there.switched_at == 230
    assert np.array_equal(heard[40 * BLOCK :], audio[240 * BLOCK :])


def test_new_history_is_filled_before_crossfade() -> None:
    audio = _sine(400 * BLOCK)
    with _pipeline().session() as session:
        _run(session, audio, range(100))
        wanted = {"nodes.end": {"use": "dsp.delay", "in": "loud", "params": {"time": "1s"}}}
        swap = session.change(wanted)
        heard = _run(session, audio, range(100, 400))
    assert swap.switched_at == 200 + 1
    late = 10 ** (6 / 20) * audio[: 400 * BLOCK - RATE]
    start = 102 * BLOCK
    assert_close(heard[start:], late[start + 100 * BLOCK - RATE :], SAMPLES)


def test_plan_without_pipeline_cannot_be_changed() -> None:
    with _pipeline().session() as session:
        session.base = None
        with pytest.raises(StateError, match="not compiled from a pipeline"):
            session.change({"nodes.end.enabled": False})


def test_taps_of_crossfade_tick_are_of_old_engine() -> None:
    with _pipeline().session() as session:
        session.change({"nodes.loud.enabled": False})
        block = torch.zeros(BLOCK)
        for _ in range(31):
            session.process(block, taps=["loud"])
        with pytest.raises(PipelineError, match="switched off"):
            session.process(block, taps=["loud"])


def test_closed_session_takes_no_swap() -> None:
    with _pipeline().session() as session:
        pass
    with pytest.raises(StateError, match="this session is closed"):
        session.change({"nodes.loud.enabled": False})


def test_param_of_replaced_node_is_refused() -> None:
    with _pipeline().session() as session:
        session.change({"nodes.loud.enabled": False})
        for _ in range(40):
            session.process(np.zeros(BLOCK, np.float32))
        with pytest.raises(StateError, match=r"there is no param loud\.db"):
            session.set("loud.db", 3.0)
        assert session.live_params.pending == []
        session.set("end.db", 3.0)
        session.process(np.zeros(BLOCK, np.float32))
        assert [change.param for _, change in session.log] == ["end.db"]
