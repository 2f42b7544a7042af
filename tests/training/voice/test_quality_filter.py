"""The quality filter, on sounds with known faults."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.training.voice import _quality_filter as quality_filter
from voicegraph.training.voice._decoding import PEAKS_HZ
from voicegraph.training.voice._quality_filter import Measurements, measure, rejection
from voicegraph.training.voice._segmentation import Span

WHOLE = Span(0.5, 8.0)


@pytest.fixture(scope="module")
def recording() -> np.ndarray:
    """The one that comes along, 16 kHz."""
    return soundfile.read(bundled_recording.path(), dtype="float32")[0]


def _peaks(audio: np.ndarray) -> np.ndarray:
    count = 16000 // PEAKS_HZ
    return np.abs(audio[: len(audio) // count * count]).reshape(-1, count).max(1)


def _measured(audio: np.ndarray, loud: np.ndarray) -> Measurements:
    """Speech is where the clean recording is loud."""
    chunks = loud[: len(loud) // 512 * 512].reshape(-1, 512)
    speech = (np.sqrt((chunks**2).mean(1)) > 0.01).astype(np.float32)
    return measure(audio, speech, _peaks(audio))


def test_good_utterance_is_accepted(recording: np.ndarray) -> None:
    assert rejection(_measured(recording, recording), WHOLE) == ("", "")


def test_short_utterance_is_rejected(recording: np.ndarray) -> None:
    reason, detail = rejection(_measured(recording, recording), Span(1.0, 2.2))
    assert reason == "too short"
    assert "1.20 s" in detail


@pytest.mark.parametrize("too_loud_db", [6, 12])
def test_clipped_utterance_is_rejected(recording: np.ndarray, too_loud_db: float) -> None:
    gain = 10 ** (too_loud_db / 20) / np.abs(recording).max()
    loud = np.clip(recording * gain, -1, 1) * 0.5
    reason, detail = rejection(_measured(loud, recording), WHOLE)
    assert reason == "clipped"
    assert detail.startswith("of 375 peaks, ")


@pytest.mark.parametrize("snr_db", [5, 10, 20, 30])
def test_signal_to_noise_ratio_is_measured(recording: np.ndarray, snr_db: float) -> None:
    noise = np.random.default_rng(1).standard_normal(len(recording))
    spoken = recording[np.abs(recording) > 0.01]
    noise *= np.sqrt((spoken**2).mean()) * 10 ** (-snr_db / 20)
    measurements = _measured((recording + noise).astype(np.float32), recording)
    assert quality_filter.snr_db(measurements, WHOLE) == pytest.approx(snr_db, abs=3)
    assert (rejection(measurements, WHOLE)[0] == "noisy") == (snr_db < quality_filter.SNR_DB)


def test_whispering_is_rejected(recording: np.ndarray) -> None:
    # Noise with the loudness of the speech.
    hiss = np.random.default_rng(1).standard_normal(len(recording)).astype(np.float32)
    loudness = np.sqrt(np.convolve(recording**2, np.ones(400) / 400, "same"))
    assert rejection(_measured(hiss * loudness, recording), WHOLE)[0] == "no voice"


def test_silence_is_not_clipped() -> None:
    assert not quality_filter.clipped(np.zeros(100))
    assert not quality_filter.clipped(np.zeros(0))


def test_long_recordings_are_measured_in_pieces(
    recording: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _measured(recording, recording)
    monkeypatch.setattr(quality_filter, "_PIECE", 304)
    parts = _measured(recording, recording)
    np.testing.assert_allclose(parts.power, whole.power, rtol=1e-3, atol=1e-9)
    assert len(parts.f0) == len(whole.f0)
    assert ((parts.f0 > 0) == (whole.f0 > 0)).mean() > 0.98
