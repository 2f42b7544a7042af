"""``pitch.autotune``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import Audio, In, Mask, Node, NodeParams, Out, Pitch, conformance, registry
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.pitch.autotune import pitch_classes

from ...tolerance import TENTH_OF_A_CENT, assert_close

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("pitch.autotune")

RATE = 1000
"""One frame is ten samples: the first is its F0, the second its voicing."""


class SungParams(NodeParams):
    """Params of the test's node."""


class Sung(Node[SungParams, None]):
    """F0 and voicing that the audio carries."""

    pure = True
    audio = In(Audio)
    pitch = Out(Pitch, rate=100)
    voiced = Out(Mask, rate=100)

    def process(self, inputs, params, state):
        frames = inputs["audio"][:, 0].unfold(1, 10, 10)
        return {"pitch": frames[..., 0].clone(), "voiced": frames[..., 1].clone()}


@pytest.fixture(autouse=True, scope="module")
def _sung() -> Iterator[None]:
    with registry.isolated({"test.sung": Sung}):
        yield


def _pipeline(block: str = "100ms", **params: Any) -> Pipeline:
    inputs = {"pitch": "f0", "voiced": "f0.voiced"}
    return Pipeline(
        block=block,
        input={"rate": RATE},
        nodes={
            "f0": {"use": "test.sung", "in": "input"},
            "tune": {"use": "pitch.autotune", "in": inputs, "params": params},
            "pitch": {"use": "pitch.register", "in": "tune", "params": {"mode": "fixed"}},
        },
        output="pitch",
    )


def _audio(f0: np.ndarray, voiced: np.ndarray | None = None) -> np.ndarray:
    made = np.zeros((len(f0), 10), np.float32)
    made[:, 0] = f0
    made[:, 1] = f0 > 0 if voiced is None else voiced
    return made.ravel()


def _tuned(f0: np.ndarray, block: str = "100ms", **params: Any) -> np.ndarray:
    with _pipeline(block, **params).session(warm_up=False) as session:
        return session.push(_audio(f0))


def _midi(f0: np.ndarray, reference: float = 440.0) -> np.ndarray:
    return 69 + 12 * np.log2(f0 / reference)


def _hertz(midi: np.ndarray) -> np.ndarray:
    return 440 * 2 ** ((np.asarray(midi, float) - 69) / 12)


MELODY = _hertz(np.repeat([57.3, 59.6, 61.2, 64.8, 66.4, 48.9], 20))


@pytest.mark.parametrize(
    ("params", "allowed"),
    [
        ({}, range(12)),
        ({"key": "A", "scale": "minor"}, {9, 11, 0, 2, 4, 5, 7}),
        ({"key": "F#", "scale": "major_pentatonic"}, {6, 8, 10, 1, 3}),
        ({"notes": "C Eb G"}, {0, 3, 7}),
        ({"notes": ["c", "f#"]}, {0, 6}),
    ],
)
def test_every_voiced_frame_is_a_note_of_the_scale(params: dict[str, Any], allowed: Any) -> None:
    found = _midi(_tuned(MELODY, glide=0.0, hold=0.0, **params))
    notes = np.round(found)
    assert np.abs(found - notes).max() < 1e-3
    assert set((notes % 12).astype(int)) <= set(allowed)
    candidates = np.array([n for n in range(20, 100) if n % 12 in set(allowed)])
    away = np.abs(candidates[None] - _midi(MELODY)[:, None]).min(1)
    assert np.abs(np.abs(notes - _midi(MELODY)) - away).max() < 1e-3, "no note is nearer"


def test_reference_moves_all_notes() -> None:
    found = _tuned(np.full(20, 428.0), glide=0.0, reference=432.0)
    assert_close(found, 432.0, TENTH_OF_A_CENT)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_strength_is_the_corrected_part(strength: float) -> None:
    found = _tuned(np.full(30, float(_hertz(np.array(60.4)))), strength=strength)
    assert_close(found, float(_hertz(np.array(60.4 - 0.4 * strength))), TENTH_OF_A_CENT)


def test_unvoiced_and_filled_frames_are_untouched() -> None:
    f0 = np.where(np.arange(120) % 20 < 12, MELODY, 0.0)
    found = _tuned(f0, glide=0.0)
    np.testing.assert_array_equal(found == 0, f0 == 0)
    voiced = f0 > 0
    filled = np.where(voiced, f0, 300.0)
    with _pipeline(glide=0.0).session(warm_up=False) as session:
        beside = session.push(_audio(filled, voiced))
    assert_close(beside[~voiced], 300.0, TENTH_OF_A_CENT)
    assert_close(beside[voiced], found[voiced], TENTH_OF_A_CENT)


def test_correction_glides_with_its_time_constant() -> None:
    """From one note to the next the correction follows exponentially, without a step."""
    f0 = _hertz(np.repeat([60.3, 61.7], 30))
    found = _midi(_tuned(f0, glide=50.0))
    correction = found - _midi(f0)
    np.testing.assert_allclose(correction[:30], -0.3, atol=1e-3)
    expected = 0.3 - 0.6 * np.exp(-np.arange(1, 31) / 5)
    np.testing.assert_allclose(correction[30:], expected, atol=1e-3)


def test_a_pitch_between_two_notes_stays_on_one() -> None:
    wobble = 60.5 + 0.09 * np.sin(np.arange(200))
    found = _midi(_tuned(_hertz(wobble), glide=0.0, hold=0.2))
    assert len(set(np.round(found))) == 1
    assert len(set(np.round(_midi(_tuned(_hertz(wobble), glide=0.0, hold=0.0))))) == 2


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 1000),
    glide=st.sampled_from([0.0, 20.0, 200.0]),
    scale=st.sampled_from(["chromatic", "blues"]),
)
def test_blocks_of_any_size_are_alike(seed: int, glide: float, scale: str) -> None:
    chance = np.random.default_rng(seed)
    steps = np.cumsum(chance.normal(0, 0.4, 120)) + 57
    f0 = np.where(chance.random(120) < 0.1, 0.0, _hertz(steps))
    found = [_tuned(f0, block, glide=glide, scale=scale) for block in ("10ms", "40ms", "300ms")]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_revised_frames_are_corrected_again_and_others_stay() -> None:
    """Windows that overlap, and of which the newest frames change once more."""

    def run(look: str) -> list[np.ndarray]:
        nodes = {
            "f0": {"use": "f0.dio", "in": "input"},
            "cache": {"use": "pitch.cache", "in": {"pitch": "f0", "voiced": "f0.voiced"}},
            "tune": {
                "use": "pitch.autotune",
                "in": {"pitch": "cache", "voiced": "cache.voiced"},
                "params": {"scale": "major", "glide": 60.0},
            },
            "long": {"use": "pitch.cache", "in": "tune", "params": {"look": look, "drop_front": 0}},
        }
        time = np.arange(24000) / 16000
        phase = 2 * np.pi * np.cumsum(130 * 2 ** (0.4 * np.sin(3 * time))) / 16000
        buzz = 0.1 * np.sum([np.cos(k * phase) / k for k in range(1, 12)], 0)
        pipeline = Pipeline(block="50ms", input={"rate": 16000}, nodes=nodes, output="long")
        found = []
        with pipeline.session(warm_up=False) as session:
            for start in range(0, 24000, 800):
                session.process(buzz[start : start + 800].astype(np.float32), taps=["tune"])
                found.append(session.taps["tune"][0].copy())
        return found

    windows = run("300ms")
    for earlier, later in pairwise(windows[5:]):
        settled = len(earlier) - 12  # cache: look and block
        np.testing.assert_array_equal(earlier[5:settled], later[: settled - 5])


def test_params_are_live() -> None:
    with _pipeline(glide=20.0).session(warm_up=False) as session:
        flat = np.full(60, float(_hertz(np.array(61.0))))
        before = session.push(_audio(flat))
        session.set("tune.key", "C")
        session.set("tune.scale", "major")
        after = session.push(_audio(flat))
        with pytest.raises(StateError, match="expected names of notes such as C Eb F# G"):
            session.set("tune.notes", "C H")
    moved = np.abs(np.diff(_midi(np.concatenate([before, after]))))
    assert moved.max() < 0.5, "semitones a frame: it glides to the other note"
    assert abs(_midi(after[-1:])[0] - 61) == pytest.approx(1, abs=0.01)


def test_names_of_notes() -> None:
    assert pitch_classes("C, Eb f# B♭") == (0, 3, 6, 10)
    assert pitch_classes("Cb B#") == (0, 11)
    with pytest.raises(PipelineError, match="found 'X'"):
        _tuned(MELODY, notes="C X")


def test_every_scale_is_described_once() -> None:
    from voicegraph.nodes.pitch import autotune

    assert set(autotune._SCALES) == set(autotune.get_args(autotune.Scale))
    assert all(
        steps[0] == 0 and list(steps) == sorted(set(steps)) for steps in autotune._SCALES.values()
    )


def test_stream_is_what_the_newest_frames_of_the_window_are() -> None:
    x = np.repeat(np.linspace(200, 300, 300, dtype=np.float32), 10)
    x[1::10] = 1.0
    window = _pipeline(key="A", scale="minor")
    stream = window.changed({"nodes.tune.params.stream": True})
    assert np.array_equal(window.session().push(x), stream.session().push(x))
