"""Decoding of recordings to one channel at 24 kHz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import InputError
from voicegraph.training.voice._bandwidth import TELEPHONE_HZ, highest_speech_hz
from voicegraph.training.voice._decoding import decode


def _tone(rate: int, seconds: float = 2.0) -> np.ndarray:
    count = int(rate * seconds)
    hiss = 0.003 * np.random.default_rng(1).standard_normal(count)
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(count) / rate) + hiss


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [("a.wav", 44100, 2), ("a.flac", 16000, 1), ("a.ogg", 48000, 2), ("a.mp3", 44100, 1)],
)
def test_formats_and_rates_are_decoded(tmp_path: Path, name: str, rate: int, channels: int) -> None:
    path = tmp_path / name
    soundfile.write(path, np.tile(_tone(rate)[:, None], channels), rate)
    found = decode(path)
    assert (found.rate, found.channels) == (rate, channels)
    assert len(found.audio) == pytest.approx(48000, abs=2500)  # MP3 adds padding
    middle = found.audio[12000:36000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() == 440
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.02)


def test_peaks_are_measured_before_resampling(tmp_path: Path) -> None:
    audio = np.zeros(44100)
    audio[[100, 20000]] = 0.9, -0.7
    soundfile.write(tmp_path / "a.wav", audio, 44100, "FLOAT")
    peaks = decode(tmp_path / "a.wav").peaks
    assert len(peaks) == 50
    assert [round(float(p), 3) for p in peaks[[0, 22]]] == [0.9, 0.7]
    assert np.delete(peaks, [0, 22]).max() == 0


def test_channels_that_cancel_are_not_mixed(tmp_path: Path) -> None:
    tone = _tone(24000)
    soundfile.write(tmp_path / "a.wav", np.stack((tone, -tone), 1), 24000, "FLOAT")
    np.testing.assert_allclose(decode(tmp_path / "a.wav").audio, tone, atol=1e-3)


def test_file_without_audio_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("hello")
    with pytest.raises(InputError, match="not readable audio"):
        decode(tmp_path / "a.wav")


def test_telephone_bandwidth_is_detected() -> None:
    noise = np.random.default_rng(1).standard_normal(24000 * 3)
    spectrum = np.fft.rfft(noise)
    spectrum[(3400 * 3) :] = 0
    narrow = np.fft.irfft(spectrum)
    assert 3300 < highest_speech_hz(narrow, 24000, [(0, 3)]) < 3600 < TELEPHONE_HZ
    assert highest_speech_hz(noise, 24000, [(0, 3)]) > 11900
