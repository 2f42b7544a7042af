"""Codecs: there and back, in time, and worse at lower rates."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError

from voicegraph.experiments import conditions
from voicegraph.graph.errors import InputError
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics.spectral_distance import log_spectral_distance
from voicegraph.graph.signals import Audio


def _coded(codec: str, rate: int) -> tuple[np.ndarray, np.ndarray]:
    speech = bundled_recording.speech(Audio(Fraction(rate), 1))[0][: 2 * rate]
    name, params = conditions.ask({"codec": codec})
    return conditions.apply(name, params, speech, rate, 1, "c")[0], speech


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
@pytest.mark.parametrize("codec", ["opus32", "mp332", "mp364"])
def test_the_sound_stays_in_time(codec: str, rate: int) -> None:
    made, speech = _coded(codec, rate)
    size = 4 * rate
    found = np.fft.irfft(np.conj(np.fft.rfft(speech, size)) * np.fft.rfft(made, size))
    lag = int(found.argmax())
    assert min(lag, size - lag) <= rate // 4000  # a quarter of a millisecond


@pytest.mark.parametrize("codec", ["opus", "mp3"])
def test_fewer_bits_change_more(codec: str) -> None:
    distances = []
    for kbps in (128, 48, 8):
        made, speech = _coded(f"{codec}{kbps}", 16000)
        distances.append(log_spectral_distance(speech, made, 16000).mean())
    assert distances == sorted(distances)
    assert distances[-1] > distances[0] + 1


@pytest.mark.parametrize("codec", ["opus", "flac16", "opus5", "mp3400", "opus16k", ""])
def test_unknown_codecs_are_refused(codec: str) -> None:
    with pytest.raises(ValidationError):
        conditions.ask({"codec": codec})


def test_rates_that_mp3_lacks_are_said() -> None:
    with pytest.raises(InputError, match="MP3 at 44100 Hz takes 32 to 320 kbit/s, not 16"):
        _coded("mp316", 44100)
