"""``dsp.loudness``: level, noise, normalisation, and how soon."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import conformance
from voicegraph.graph.errors import WeightsError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.content._phonetic_example import write as write_encoder
from voicegraph.nodes.dsp.hann_power import HannPower, window_samples
from voicegraph.nodes.synth._source_filter_example import write as write_voice
from voicegraph.nodes.synth.source_filter_file import open_source_filter

from ...tolerance import FLOAT32, assert_close, decibels

pytestmark = pytest.mark.numeric

REGISTER_DB = 1.5
"""A step and a half of the histogram of levels, whose 95th percentile is held at the target."""
GLIDING_DB = 3
"""While the gain still follows."""

GRID = decibels(0.02, "how a window is sampled")
NOISE_FLOOR = decibels(0.3, "the estimate of the noise floor takes some of quiet speech")
IN_NOISE = decibels(3.5, "noise 12 dB below speech is part of its level")
BLOCKS = decibels(1e-3, "float32 powers and their logarithm")

test_conformance = conformance.suite("dsp.loudness")

RATE = 16000


def _pipeline(block: str = "40ms", rate: int = RATE, **params: Any) -> Pipeline:
    return Pipeline(
        block=block,
        input={"rate": rate},
        nodes={"level": {"use": "dsp.loudness", "in": "input", "params": params}},
        output="level",
    )


def _level(audio: np.ndarray, block: str = "40ms", rate: int = RATE, **params: Any) -> np.ndarray:
    plan = _pipeline(block, rate, **params).compile()
    with plan.session(warm_up=False) as session:
        found = np.concatenate([session.push(audio.astype(np.float32)), session.flush()])
    return found.reshape(-1)[plan.latency_out :][: len(audio) * 100 // rate]


def _db(audio: np.ndarray, rate: int = RATE) -> np.ndarray:
    """The definition: mean power under a Hann window around each 10 ms."""
    size = round(0.0125 * rate) * 2
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    padded = np.pad(audio.astype(float), size // 2)
    begins = np.arange(len(audio) * 100 // rate) * rate // 100
    power = [np.sum(window * padded[b : b + size] ** 2) / window.sum() for b in begins]
    return 10 * np.log10(np.array(power) + 1e-12)


def _speech(seconds: float, seed: int = 1, db: float = -24.0) -> np.ndarray:
    """Syllables of a buzz, 5 a second and 3 dB apart, and a pause of 400 ms every 2 s."""
    chance = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    buzz = sum(np.cos(2 * np.pi * 140 * k * time) / k for k in range(1, 20))
    loud = chance.normal(0, 3, int(seconds * 5) + 1)[(time * 5).astype(int)]
    shape = np.sin(np.pi * (time * 5 % 1)) ** 2 * 10 ** (loud / 20) * (time % 2 > 0.4)
    made = buzz * shape
    now = np.percentile(_db(made), 95)
    return made * 10 ** ((db - now) / 20)


def _noise(count: int, db: float, seed: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 10 ** (db / 20), count)


@pytest.mark.parametrize("rate", [16000, 24000, 44100, 48000])
def test_level_is_hann_power(rate: int) -> None:
    time = np.arange(rate) / rate
    audio = 0.3 * np.sin(2 * np.pi * 200 * time) * (1e-4 + time)  # no noise at first
    found = _level(audio, "100ms", rate, normalise=False)
    assert_close(found[40:90], _db(audio, rate)[40:90], GRID)


def test_frames_lie_where_they_say() -> None:
    audio = np.zeros(RATE)
    audio[160 * 60] = 0.9
    found = _level(audio, normalise=False)
    assert set(np.flatnonzero(found > -69)) == {59, 60, 61}
    assert found[60] == found.max()
    assert found[59] == pytest.approx(found[61], abs=BLOCKS.absolute)


def test_latency() -> None:
    """Of the 2.5 ms after the block; an output at 100 Hz makes whole frames of it."""
    plan = _pipeline().compile()
    assert plan.latency.algorithmic * 1000 == 10
    assert window_samples(Fraction(RATE)) == 400


@pytest.mark.parametrize("db", [-12.0, -24.0, -45.0])
def test_all_speak_equally_loud(db: float) -> None:
    found = _level(_speech(16, db=db))[800:]
    assert np.percentile(found, 95) == pytest.approx(-21, abs=REGISTER_DB)
    found = _level(_speech(16, db=db), target=-30.0, gain=4.0)[800:]
    assert np.percentile(found, 95) == pytest.approx(-26, abs=REGISTER_DB)


def test_without_normalisation_the_level_stays() -> None:
    audio = _speech(8, db=-35.0)
    found, own = _level(audio, normalise=False), _db(audio)
    loud = own > -45
    assert_close(found[loud], own[loud], NOISE_FLOOR)


@pytest.mark.parametrize("snr", [30, 20, 12])
def test_pauses_in_noise_are_silent(snr: int) -> None:
    speech = _speech(12)
    audio = speech + _noise(len(speech), -24 - snr - 4)
    found, clean = _level(audio), _level(speech)
    pause = _db(speech) < -100
    pause[:100] = False
    assert np.mean(found[pause] <= -69.9) > 0.97
    loud = clean > -30
    loud[:300] = False
    assert_close(found[loud], clean[loud], IN_NOISE)


def test_noise_is_known_from_the_start_of_a_stream() -> None:
    found = _level(_noise(2 * RATE, -45.0))
    assert found[:30].max() < -55
    assert (found[30:] <= -69.9).mean() > 0.97


def test_what_sounds_after_silence_is_no_noise() -> None:
    """Somebody has opened a gate, or a file begins with zeros."""
    speech = _speech(3)
    found = _level(np.concatenate((np.zeros(RATE // 2), speech)), normalise=False)
    loud = _db(speech)[:100] > -45
    assert_close(found[50:150][loud], _db(speech)[:100][loud], NOISE_FLOOR)


def test_louder_noise_is_found_within_its_time() -> None:
    speech = _speech(30)
    audio = speech + _noise(len(speech), -70.0)
    audio[10 * RATE :] += _noise(20 * RATE, -45.0, 5)
    found = _level(audio)
    pause = np.flatnonzero(_db(speech) < -100)
    assert (found[pause[pause > 2000]] <= -69.9).mean() > 0.97


def test_a_held_note_is_no_noise() -> None:
    note = 0.1 * np.sin(2 * np.pi * 150 * np.arange(15 * RATE) / RATE)
    found = _level(np.concatenate([_speech(4), note]))[500:]
    assert np.ptp(found[300:]) < 1
    assert found[-1] > -25


def test_digital_silence_is_no_noise() -> None:
    """Half of the time a gate is shut; the noise in the other half is found all the same."""
    time = np.arange(20 * RATE) / RATE
    audio = _noise(len(time), -45.0) * (time % 2 < 1)
    found = _level(audio)[300:]
    assert (found <= -69.9).mean() > 0.97


def test_noise_at_the_start_is_not_heard() -> None:
    """From the first frame on; a second of noise, then speech."""
    audio = np.concatenate((np.zeros(RATE), _speech(3))) + _noise(4 * RATE, -45, 1)
    found = _level(audio)
    assert found[:95].max() <= -60
    assert np.percentile(found[100:], 95) > -27


def test_it_glides_when_speech_becomes_quieter() -> None:
    audio = _speech(40)
    audio[10 * RATE :] *= 0.1
    found = _level(audio, settle="3s")
    assert np.percentile(found[3000:], 95) == pytest.approx(-21, abs=GLIDING_DB)
    gain = found - _db(audio)
    kept = (_db(audio) > -55) & (found > -45)
    kept[:100] = False  # it begins with speech, which is taken for noise until a pause
    near = np.diff(np.flatnonzero(kept)) == 1
    assert np.abs(np.diff(gain[kept])[near]).max() < 1.5


@given(st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_blocks_of_any_size_are_alike(seed: int) -> None:
    audio = _speech(2.4, seed) + _noise(int(2.4 * RATE), -50, seed)
    found = [_level(audio, block) for block in ("10ms", "40ms", "100ms")]
    assert_close(found[0], found[1], BLOCKS)
    assert_close(found[0], found[2], BLOCKS)


def test_gain_is_live() -> None:
    audio = _speech(4).astype(np.float32)
    with _pipeline().session(warm_up=False) as session:
        session.push(audio)
        session.set("level.gain", 6)
        found = session.push(audio).reshape(-1)
    assert np.percentile(found[150:], 95) == pytest.approx(-15, abs=GLIDING_DB)


def test_target_of_a_voice(tmp_path: Path) -> None:
    write_voice(tmp_path)
    voice = next(tmp_path.glob("*.safetensors"))
    target = open_source_filter(voice)[1].prosody.loud_db
    audio = _speech(2)
    np.testing.assert_array_equal(_level(audio, voice=voice), _level(audio, target=target))
    write_encoder(tmp_path / "encoder.safetensors")
    with pytest.raises(WeightsError, match="does not state the pitch and level"):
        _level(audio, voice=tmp_path / "encoder.safetensors")


def test_silence_is_at_the_floor() -> None:
    assert (_level(np.zeros(RATE)) == -70).all()


def test_hann_power_of_a_constant() -> None:
    found = HannPower(0, 5, Fraction(16000), 100)(torch.full((2, 1200), 0.5))
    assert_close(found, 0.25, FLOAT32)
