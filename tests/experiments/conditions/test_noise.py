"""Noise at an exact signal-to-noise ratio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.signal import welch

from voicegraph.experiments import conditions

RATE = 16000
COLOURS = ("white", "pink", "brown", "speech")


def _clip(samples: int = 2 * RATE, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    loud = np.repeat(random.uniform(0, 0.2, samples // 1600 + 1), 1600)[:samples]
    return (random.standard_normal(samples) * loud).astype(np.float32)


def _noise(
    level: dict[str, Any], clip: np.ndarray, seed: int = 1, name: str = "clip"
) -> np.ndarray:
    condition, params = conditions.ask(level)
    made, known = conditions.apply(condition, params, clip, RATE, seed, name)
    assert not known
    assert made.dtype == np.float32
    return made.astype(np.float64) - clip


@given(
    st.sampled_from(COLOURS),
    st.floats(-20, 40),
    st.integers(200, 20000),
    st.integers(0, 99),
)
def test_snr_is_exact(colour: str, snr: float, samples: int, seed: int) -> None:
    clip = _clip(samples, seed)
    noise = _noise({"noise": colour, "snr": snr}, clip)
    measured = 10 * np.log10(np.mean(clip.astype(np.float64) ** 2) / np.mean(noise**2))
    assert measured == pytest.approx(snr, abs=0.01)  # float32 samples


@pytest.mark.parametrize(("colour", "slope"), [("white", 0), ("pink", -3.01), ("brown", -6.02)])
def test_colours_fall_by_octaves(colour: str, slope: float) -> None:
    noise = _noise({"noise": colour, "snr": 0}, _clip(60 * RATE))
    at, power = welch(noise, RATE, nperseg=4096)
    octaves = [power[(at >= low) & (at < 2 * low)].mean() for low in (200, 400, 800, 1600, 3200)]
    np.testing.assert_allclose(np.diff(10 * np.log10(octaves)), slope, atol=0.3)


def test_speech_shaped_noise_has_the_spectrum_of_the_clip() -> None:
    time = np.arange(4 * RATE) / RATE
    tone = (0.1 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    noise = _noise({"noise": "speech", "snr": 0}, tone)
    at, power = welch(noise, RATE, nperseg=1024)
    assert at[power.argmax()] == pytest.approx(1000, abs=20)
    assert power[(at < 800) | (at > 1200)].sum() < 0.01 * power.sum()


def test_noise_depends_on_seed_and_clip_alone() -> None:
    clip, level = _clip(), {"noise": "pink", "snr": 10}
    same = _noise(level, clip)
    np.testing.assert_array_equal(_noise(level, clip), same)
    for other in (_noise(level, clip, seed=2), _noise(level, clip, name="other")):
        assert abs(np.corrcoef(same, other)[0, 1]) < 0.1


def test_a_silent_clip_stays_silent() -> None:
    assert not _noise({"noise": "pink", "snr": 10}, np.zeros(RATE, np.float32)).any()


def test_recordings_are_mixed_in(tmp_path: Path) -> None:
    time = np.arange(RATE // 2) / RATE
    soundfile.write(tmp_path / "hum.wav", 0.3 * np.sin(2 * np.pi * 200 * time), RATE)
    name, params = conditions.ask({"noise": {"files": "*.wav"}, "snr": 6}, tmp_path)
    assert params.read_files() == (tmp_path / "hum.wav",)
    clip = _clip()
    noise = conditions.apply(name, params, clip, RATE, 1, "c")[0].astype(np.float64) - clip
    at, power = welch(noise, RATE, nperseg=2048)
    assert at[power.argmax()] == pytest.approx(200, abs=10)
    assert np.mean(clip.astype(float) ** 2) / np.mean(noise**2) == pytest.approx(10**0.6, rel=1e-3)


def test_copies_of_files_are_read_instead(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    params = conditions.ask({"noise": {"files": "a.wav"}, "snr": 6}, tmp_path)[1]
    moved = params.with_files({tmp_path / "a.wav": Path("/copies/b.wav")})
    assert moved.read_files() == (Path("/copies/b.wav"),)
    assert moved.model_dump(exclude={"noise"}) == params.model_dump(exclude={"noise"})


def test_patterns_without_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no file is called .*\.flac"):
        conditions.ask({"noise": {"files": "*.flac"}, "snr": 6}, tmp_path)
    with pytest.raises(ValueError, match="there is no sound file in"):
        conditions.ask({"noise": {"files": "."}, "snr": 6}, tmp_path)


@pytest.mark.parametrize(
    "level",
    [{"noise": "blue", "snr": 3}, {"noise": "pink"}, {"noise": "pink", "snr": 3, "sn": 1}],
)
def test_wrong_params_are_refused(level: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        conditions.ask(level)
