"""NaN and infinity: reported with the node, or silenced, counted, and the state reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.graph import Audio, In, Node, Out, Tensors, register
from voicegraph.graph.errors import NodeFailedError, SignalError
from voicegraph.graph.pipeline import Pipeline, node

Build = Callable[..., Pipeline]
SILENCE: dict[str, Any] = {"on_nan": "silence"}


def noise(length: int = 12) -> np.ndarray:
    return np.random.default_rng(2).integers(1, 9, length).astype(np.float32)


# ---- in what comes in ---------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_bad_sample_is_named(build: Build, bad: float) -> None:
    pipeline = build({"a": node("dsp.gain", "input")}, input={"rate": 1200, "channels": 2})
    x = np.zeros((3, 2, 36), np.float32)
    x[2, 1, 30:32] = bad
    with pipeline.session(3, warm_up=False) as session:
        with pytest.raises(SignalError) as caught:
            session.push(x)
        assert session.position == 2
    (problem,) = caught.value.problems
    assert problem.code == "not-finite"
    assert problem.message == (
        "the input holds 2 values that are NaN or infinite in block 2, the first at 0.025 s "
        "(stream 2, channel 1)"
    )
    assert "on_nan: silence" in str(problem.fix)


def test_opposite_infinities_are_seen(build: Build) -> None:
    x = noise()
    x[3], x[4] = np.inf, -np.inf
    with (
        build({"a": node("dsp.gain", "input")}).session(warm_up=False) as session,
        pytest.raises(SignalError, match="2 values"),
    ):
        session.process(x)


def test_on_nan_silence_replaces_bad_samples(build: Build) -> None:
    nodes = {"a": node("test.total", "input")}
    x = noise(24)
    x[5] = np.nan
    with build(nodes, **SILENCE).session(warm_up=False) as session:
        made = session.push(x)
        assert session.nonfinite == 1
    x[5] = 0
    np.testing.assert_array_equal(made, np.cumsum(x) % 97)


def test_too_large_doubles_become_infinite(build: Build) -> None:
    with (
        build({"a": node("dsp.gain", "input")}).session(warm_up=False) as session,
        pytest.raises(SignalError, match="12 values that are NaN or infinite"),
    ):
        session.process(np.full(12, 1e300))


@pytest.mark.parametrize("policy", ["error", "silence"])
def test_finite_samples_whose_sum_overflows_are_finite(build: Build, policy: str) -> None:
    x = np.full(12, 3e38, np.float32)
    with build({"a": node("dsp.gain", "input")}, on_nan=policy).session(warm_up=False) as session:
        np.testing.assert_array_equal(session.process(x), x)
        assert session.nonfinite == 0


# ---- what arises inside -------------------------------------------------------------------------


def test_the_node_that_made_it_is_named(build: Build) -> None:
    nodes = {
        "before": node("test.shift", "input"),
        "spoil": node("test.spoil", "before"),
        "after": node("test.around", "spoil", back=1),
    }
    x = noise()
    with build(nodes).session(warm_up=False) as session:
        session.process(x)
        x[6] = 13
        with pytest.raises(SignalError) as caught:
            session.process(x)
    (problem,) = caught.value.problems
    assert problem.message == "spoil.out gave NaN or infinity in block 1, 0.010 s"
    assert problem.notes[0][0] == "its inputs were finite"


def test_nan_from_history_names_its_source(build: Build) -> None:
    nodes = {
        "spoil": node("test.spoil", "input"),
        "late": node("test.shift", "spoil", by=30),
        "pick": node("test.pick", {"one": "late", "other": "spoil"}),  # so that spoil runs at once
    }
    x = noise()
    x[0] = 13
    with build(nodes).session(warm_up=False) as session:
        session.process(x)
        session.process(noise())
        with pytest.raises(SignalError) as caught:
            session.process(noise())
    (problem,) = caught.value.problems
    assert problem.message == "late.out gave NaN or infinity in block 2, 0.020 s"
    assert problem.notes[0][0] == "its input `audio` held such values: spoil.out gave them earlier"


def test_on_nan_silence_resets_affected_streams(build: Build) -> None:
    """Without a reset, a filter that got NaN once gives NaN for ever."""
    nodes = {
        "gain": node("dsp.gain", "input"),
        "spoil": node("test.spoil", "gain", sticky=True),
        "total": node("test.scale", "spoil", factor=2),
        "past": node("test.around", "total", back=40),
    }
    x = np.stack([noise(60)[None], noise(60)[None]])
    with build(nodes, **SILENCE).session(2, warm_up=False) as session:
        clean = session.push(x)
    x[1, 0, 6] = 13
    with build(nodes, **SILENCE).session(2, warm_up=False) as session:
        made = session.push(x)
        assert session.nonfinite == 1
        assert np.isfinite(made).all()
        np.testing.assert_array_equal(made[0], clean[0])
        assert (made[1, 0, :6] == clean[1, 0, :6]).all()
        assert made[1, 0, 6] == 0
        memory = session.engine.tensors().values()
        assert all(bool(torch.isfinite(tensor).all()) for tensor in memory)
        session.reset()
        x[1, 0, 6] = noise(60)[6]
        np.testing.assert_array_equal(session.push(x), clean)


def test_nan_off_the_output_path_is_ignored(build: Build) -> None:
    nodes = {
        "spoil": node("test.spoil", "input"),
        "pick": node("test.pick", {"one": "input", "other": "spoil"}),
    }
    x = noise()
    x[3] = 13
    with build(nodes).session(warm_up=False) as session:
        np.testing.assert_array_equal(session.process(x), x)


def test_after_an_error_a_reset_is_a_fresh_start(build: Build) -> None:
    nodes = {"spoil": node("test.spoil", "input", sticky=True)}
    x = noise()
    x[3] = 13
    with build(nodes).session(warm_up=False) as session:
        with pytest.raises(SignalError):
            session.process(x)
        session.reset()
        np.testing.assert_array_equal(session.process(noise()), noise())


def test_a_node_that_raises_on_nan_is_not_blamed_for_it() -> None:
    """WORLD says of NaN that memory ran out; the node that gave it is named."""

    @register("test.spoils")
    class Spoils(Node):
        audio = In(Audio)
        out = Out(Audio, like="audio")

        def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
            return {"out": torch.full_like(inputs["audio"], torch.nan)}

    @register("test.checks")
    class Checks(Spoils):
        def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
            if not torch.isfinite(inputs["audio"]).all():
                raise MemoryError("bad_array_new_length")
            return {"out": inputs["audio"]}

    nodes = {"bad": node("test.spoils", "input"), "strict": node("test.checks", "bad")}
    pipeline = Pipeline(block="10ms", input={"rate": 1200}, nodes=nodes, output="strict")
    with (
        pipeline.session(warm_up=False) as session,
        pytest.raises(NodeFailedError, match=r"bad\.out gave NaN or infinity in block 0") as caught,
    ):
        session.process(noise())
    assert caught.value.node == "bad"
    assert "MemoryError: bad_array_new_length" in str(caught.value)
