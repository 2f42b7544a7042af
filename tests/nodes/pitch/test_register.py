"""``pitch.register``: where pitch goes, how soon, and that it never jumps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import conformance, registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.node import Node, NodeParams
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio, Mask, Pitch
from voicegraph.nodes.content._phonetic_example import write as write_encoder
from voicegraph.nodes.synth._source_filter_example import write as write_voice
from voicegraph.nodes.synth.source_filter_file import open_source_filter

from ...tolerance import CENT, TENTH_OF_A_CENT, assert_close, share

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("pitch.register")

RATE = 1000
"""Of the audio that carries F0: ten samples a frame, F0 in the first, voicing in the second."""


class Carried(Node):
    """Takes F0 and voicing out of audio."""

    class Params(NodeParams):
        window: bool = False

    pure = True
    audio = In(Audio, rate=RATE, channels=1)
    pitch = Out(Pitch, rate=100)
    voiced = Out(Mask, rate=100)

    def process(self, inputs: Any, params: Params, state: None) -> Any:
        frames = inputs["audio"][:, 0].unfold(1, 10, 10)
        return {"pitch": frames[..., 0].clone(), "voiced": frames[..., 1].clone()}


@pytest.fixture(autouse=True, scope="module")
def _carried() -> Iterator[None]:
    with registry.isolated({"test.carried": Carried}):
        yield


def _pipeline(block: str = "100ms", told: bool = False, **params: Any) -> Pipeline:
    inputs = {"pitch": "f0", "voiced": "f0.voiced"} if told else "f0"
    return Pipeline(
        block=block,
        input={"rate": RATE},
        nodes={
            "f0": {"use": "test.carried", "in": "input"},
            "pitch": {"use": "pitch.register", "in": inputs, "params": params},
        },
        output="pitch",
    )


def _audio(f0: np.ndarray, voiced: np.ndarray | None = None) -> np.ndarray:
    made = np.zeros((len(f0), 10), np.float32)
    made[:, 0] = f0
    made[:, 1] = f0 > 0 if voiced is None else voiced
    return made.ravel()


def _moved(f0: np.ndarray, block: str = "100ms", **params: Any) -> np.ndarray:
    with _pipeline(block, **params).session(warm_up=False) as session:
        return session.push(_audio(f0))


def _speech(middle: float, seconds: float, seed: int = 1) -> np.ndarray:
    """Words with falling pitch and pauses between them; their median is about ``middle`` Hz."""
    chance = np.random.default_rng(seed)
    made = []
    while sum(map(len, made)) < seconds * 100:
        fall = np.linspace(3, -3, chance.integers(20, 60)) + chance.normal(0, 1)
        made += [middle * 2 ** (fall / 12), np.zeros(chance.integers(5, 30))]
    return np.concatenate(made)[: int(seconds * 100)]


def _median(f0: np.ndarray) -> float:
    return float(np.median(f0[f0 > 0]))


@pytest.mark.parametrize("middle", [95.0, 210.0, 330.0])
def test_register_goes_to_the_target(middle: float) -> None:
    f0 = _speech(middle, 20)
    found = _moved(f0, target=190.0, follow="3s")
    late = slice(500, 2000)
    assert 12 * abs(np.log2(_median(found[late]) / 190)) < 0.5
    np.testing.assert_array_equal(found > 0, f0 > 0)


def test_melody_stays() -> None:
    f0 = _speech(110, 30)
    found = _moved(f0, target=190.0, start=110.0)
    late = np.arange(2000, 3000)[f0[2000:3000] > 0]
    shift = 12 * np.log2(found[late] / f0[late])
    assert np.ptp(shift) < 0.7


def test_range_is_scaled_around_the_register() -> None:
    f0 = _speech(110, 30)
    spread = []
    for scale in (1.0, 0.5, 0.0):
        found = _moved(f0, target=190.0, start=110.0, range=scale)[1500:]
        spread.append(12 * np.log2(found[found > 0]).std())
    assert spread[1] == pytest.approx(spread[0] / 2, rel=0.1)
    assert spread[2] < 1e-3
    assert _median(found) == pytest.approx(190, rel=CENT.relative)


def test_what_is_known_need_not_be_found() -> None:
    """With the right start nothing moves but by the target; without, speech begins near it."""
    f0 = np.full(200, 120.0)
    assert_close(_moved(f0, target=240.0, start=120.0), 240, share(0.02, "35 cents: a prior"))
    begun = _moved(f0, target=240.0, follow="300ms")
    assert 12 * abs(np.log2(begun[0] / 240)) < 3, "semitones"
    assert 12 * abs(np.log2(begun[-1] / 240)) < 0.7


def test_it_glides_when_another_speaks() -> None:
    f0 = np.concatenate([_speech(110, 20), _speech(220, 40, 2)])
    found = _moved(f0, target=190.0, settle="10s", follow="5s")
    voiced = f0 > 0
    shift = 12 * np.log2(found[voiced] / f0[voiced])
    near = np.diff(np.flatnonzero(voiced)) == 1
    assert np.abs(np.diff(shift)[near]).max() < 0.5, "semitones a frame"
    assert 12 * abs(np.log2(_median(found[5000:]) / 190)) < 0.5


def test_small_errors_are_corrected_slowly_and_large_ones_soon() -> None:
    """Two semitones take many seconds, an octave is gone within two."""
    low = np.full(200, 110.0)
    shifts = []
    for semitones in (2, 12):
        f0 = np.concatenate([low, np.full(200, 110 * 2 ** (semitones / 12))])
        with _pipeline(target=190.0, start=110.0, settle="1s").session(warm_up=False) as session:
            found = session.push(_audio(f0))
        shifts.append(12 * np.log2(found / f0)[[199, 399]])
    assert abs(shifts[0][1] - shifts[0][0]) < 0.5
    assert abs(shifts[1][1] - shifts[1][0]) > 6


def test_shorter_follow_reaches_the_target_sooner() -> None:
    f0 = np.concatenate([np.full(100, 120.0), np.full(600, 105.0)])
    late = [_moved(f0, target=190.0, settle="2s", follow=follow)[-1] for follow in ("1s", "30s")]
    errors = [12 * abs(np.log2(found / 190)) for found in late]
    assert errors[0] < 0.3
    assert errors[1] > 2 * errors[0]


def test_what_follows_is_known_with_lookahead() -> None:
    """A high beginning does not mislead: the shift is right from the first frame on."""
    f0 = np.concatenate([np.zeros(30), np.full(60, 150.0), np.full(600, 110.0)])
    shifts = []
    for lookahead in ("0ms", "3s"):
        pipeline = _pipeline(target=190.0, lookahead=lookahead)
        plan = pipeline.compile()
        assert plan.latency.algorithmic == (3 if lookahead == "3s" else 0)
        with plan.session(warm_up=False) as session:
            made = np.concatenate([session.push(_audio(f0)), session.flush()])
        made = made[plan.latency_out :][: len(f0)]
        np.testing.assert_array_equal(made > 0, f0 > 0)
        shifts.append(12 * np.log2(made[30] / 150))
    right = 12 * np.log2(190 / 110)
    assert abs(shifts[1] - right) < 0.7 < abs(shifts[0] - right)


def test_fixed_needs_no_lookahead() -> None:
    assert _pipeline(mode="fixed", lookahead="3s").compile().latency.algorithmic == 0


def test_filled_frames_before_speech_stay_as_they_are() -> None:
    f0, voiced = np.full(50, 120.0), np.zeros(50)
    voiced[20:] = 1
    with _pipeline(told=True, target=190.0).session(warm_up=False) as session:
        found = session.push(_audio(f0, voiced))
    np.testing.assert_array_equal(found[:20], 120.0)
    assert (found[20:] > 130).all()


def test_octave_errors_do_not_move_it() -> None:
    f0 = _speech(110, 30)
    wrong = f0 * np.where(np.random.default_rng(3).random(len(f0)) < 0.1, 2, 1)
    right = f0 == wrong
    expected, found = (_moved(x, target=190.0, start=110.0) for x in (f0, wrong))
    both = right & (f0 > 0)
    assert np.abs(12 * np.log2(found[both] / expected[both])).max() < 0.8


def test_fixed() -> None:
    f0 = _speech(110, 5)
    assert_close(_moved(f0, mode="fixed", transpose=12.0), 2 * f0, TENTH_OF_A_CENT)


def test_transposition_is_live_and_glides() -> None:
    with _pipeline(mode="fixed").session(warm_up=False) as session:
        session.push(_audio(np.full(100, 100.0)))
        session.set("pitch.transpose", 12)
        found = session.push(_audio(np.full(100, 100.0)))
    steps = 12 * np.diff(np.log2(np.concatenate([[100.0], found])))
    assert (steps >= 0).all()
    assert steps.max() < 4
    assert found[-1] == pytest.approx(200, rel=2 * CENT.relative)


def test_filled_frames_move_along_and_do_not_count() -> None:
    f0 = _speech(110, 20)
    voiced = f0 > 0
    filled = np.where(voiced, f0, 400.0)
    with _pipeline(told=True, target=190.0).session(warm_up=False) as session:
        found = session.push(_audio(filled, voiced))
    assert_close(found[voiced], _moved(f0, target=190.0)[voiced], TENTH_OF_A_CENT)
    assert (found[~voiced] > 0).all()


@given(seed=st.integers(0, 1000), target=st.floats(60, 400), scale=st.floats(0, 2))
@settings(max_examples=6, deadline=None)
def test_blocks_of_any_size_are_alike(seed: int, target: float, scale: float) -> None:
    f0 = _speech(80 + seed % 200, 6, seed)
    for more in ({}, {"lookahead": "250ms"}):
        given = {"target": target, "range": scale, **more}
        found = [_moved(f0, block, **given) for block in ("10ms", "50ms", "300ms")]
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_array_equal(found[0], found[2])


def test_windows_are_taken_once() -> None:
    """An F0 estimator's window enters directly: each of its frames is used when it is new."""
    nodes = {
        "f0": {"use": "f0.dio", "in": "input", "params": {"lookahead": "60ms"}},
        "pitch": {
            "use": "pitch.register",
            "in": {"pitch": "f0", "voiced": "f0.voiced"},
            "params": {"mode": "fixed", "transpose": 12.0},
        },
    }
    plan = Pipeline(block="40ms", input={"rate": 16000}, nodes=nodes, output="pitch").compile()
    assert plan.latency.algorithmic * 1000 == 60
    time = np.arange(16000) / 16000
    parts = [np.cos(2 * np.pi * 150 * k * time) / k for k in range(1, 12)]
    buzz = np.sum(parts, 0).astype(np.float32)
    with plan.session(warm_up=False) as session:
        found = session.push(buzz * 0.1)
    assert found.shape == (100,)
    assert_close(found[30:], 300, share(0.01, "17 cents, of the tracker"))


def test_without_a_target() -> None:
    with pytest.raises(PipelineError, match="neither `target` nor `voice` says it") as caught:
        _pipeline().compile()
    assert "nodes.pitch.params.mode: fixed" in str(caught.value)


def test_target_of_a_voice(tmp_path: Path) -> None:
    write_voice(tmp_path)
    voice = next(tmp_path.glob("*.safetensors"))
    target = open_source_filter(voice)[1].prosody.median_hz
    f0 = np.full(300, 120.0)
    np.testing.assert_array_equal(_moved(f0, voice=voice), _moved(f0, target=target))
    assert (_moved(f0, voice=voice) != _moved(f0, voice=voice, target=target * 1.5)).any()


def test_other_files_tell_no_target(tmp_path: Path) -> None:
    write_encoder(tmp_path / "encoder.safetensors")
    with pytest.raises(PipelineError, match="does not state the pitch") as caught:
        _pipeline(voice=tmp_path / "encoder.safetensors").compile()
    assert "nodes.pitch.params.target: 190" in str(caught.value)


def test_rates_must_agree() -> None:
    nodes = {
        "f0": {"use": "io.contour", "params": {"rate": "100"}},
        "other": {"use": "io.contour", "params": {"rate": "50"}},
        "pitch": {
            "use": "pitch.register",
            "in": {"pitch": "f0", "voiced": "other.voiced"},
            "params": {"target": 190.0},
        },
    }
    with pytest.raises(PipelineError, match="pitch comes at 100 Hz, but voiced at 50 Hz"):
        Pipeline(block="100ms", nodes=nodes, output="pitch").compile()


def test_never_estimated_stays() -> None:
    found = _moved(np.array([-0.0] * 10), target=190.0)
    assert np.signbit(found).all()
