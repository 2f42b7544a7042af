"""The voice that comes along: real speech becomes that voice, and nothing else is needed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph import Pipeline
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.signals import Audio
from voicegraph.nodes.synth.source_filter import SourceFilterParams
from voicegraph.nodes.synth.source_filter_file import open_source_filter

RATE = 16000
SECONDS = 5


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return bundled_recording.speech(Audio(Fraction(RATE), 1))[0][: SECONDS * RATE]


def test_delay_is_that_of_encoder_and_voice() -> None:
    assert Pipeline.load("default-live").compile().latency.algorithmic <= Fraction(120, 1000)


@pytest.fixture(scope="module", params=["heart", "michael"])
def converted(
    speech: np.ndarray, request: pytest.FixtureRequest
) -> tuple[np.ndarray, np.ndarray, float]:
    """Sound at 24 kHz, the F0 it was made with, and where the voice lies."""
    overrides = {"input.rate": RATE, "block": "100ms"}
    profiles = () if request.param == "heart" else (request.param,)
    plan = Pipeline.load("default-live", overrides, profiles=profiles).compile()
    with plan.session(workers=False) as session:
        made = session.push(speech, taps=["pitch.pitch"])
        pitch = np.concatenate([np.ravel(tick) for tick in session.taps["pitch.pitch"]])
        made = np.concatenate((made, session.flush()), axis=-1)
    params = plan.find("voice").params
    assert isinstance(params, SourceFilterParams)
    card = open_source_filter(params.voice)[1]
    return np.ravel(made)[plan.latency_out :], pitch, card.prosody.median_hz


def test_output_is_aligned_with_input(
    speech: np.ndarray, converted: tuple[np.ndarray, np.ndarray, float]
) -> None:
    made = converted[0]
    assert np.isfinite(made).all()
    assert 0.05 < np.abs(made).max() < 0.9
    frames = SECONDS * 50 - 5
    said = np.log(np.square(speech[: frames * 320]).reshape(frames, -1).mean(1) + 1e-7)
    heard = np.log(np.square(made[: frames * 480]).reshape(frames, -1).mean(1) + 1e-7)
    lags = [np.corrcoef(said[10:-10], np.roll(heard, lag)[10:-10])[0, 1] for lag in range(-8, 9)]
    assert max(lags) > 0.8
    assert abs(int(np.argmax(lags)) - 8) <= 1  # aligned within 20 ms


def test_pitch_moves_to_the_voice_register(
    converted: tuple[np.ndarray, np.ndarray, float],
) -> None:
    _, pitch, target = converted
    voiced = pitch[pitch > 0]
    assert len(voiced) > 100
    assert abs(12 * np.log2(np.median(voiced) / target)) < 2


def test_blocks_leave_no_seams(converted: tuple[np.ndarray, np.ndarray, float]) -> None:
    """Energy of second differences where blocks of 100 ms meet, against elsewhere."""
    bend = np.square(np.diff(converted[0], 2))
    at = np.arange(2400, len(bend) - 2, 2400)
    border = np.mean([bend[i - 2 : i].mean() for i in at])
    assert border < 4 * bend.mean()


@pytest.mark.parametrize("use", ["f0.dio", "f0.harvest"])
def test_another_tracker_is_a_word(use: str) -> None:
    plan = Pipeline.load("default-live", {"nodes.f0.use": use}).compile()
    assert plan.find("f0").use == use


def test_profiles() -> None:
    steady = Pipeline.load("default-live", profiles=["steady"]).compile()
    assert steady.block == Fraction(1, 10)
    for name in ("default-live", "default"):
        plan = Pipeline.load(name, profiles=["michael"]).compile()
        params = plan.find("voice").params
        assert isinstance(params, SourceFilterParams)
        assert params.voice.stem == "michael"
        assert open_source_filter(params.voice)[1].prosody.median_hz < 150


def test_quick_has_less_latency() -> None:
    quick = Pipeline.load("default-live", profiles=["quick"]).compile()
    assert quick.latency.algorithmic <= Fraction(75, 1000)


def test_files_are_heard_from_further_back() -> None:
    live, whole = (Pipeline.load(name).compile() for name in ("default-live", "default"))
    starts = [plan.find("content").given["audio"].interval.start for plan in (live, whole)]
    assert starts[1] < starts[0] - 2
