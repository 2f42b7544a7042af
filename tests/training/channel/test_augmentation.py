"""A random way of speech to a microphone."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.training.channel.augmentation import Odds, random_channel

RATE = 16000


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(400, 20000))
def test_length_is_kept_and_samples_are_finite(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)

    def speech() -> np.ndarray:
        return random.standard_normal(count)

    for audio in (0.1 * random.standard_normal(count), np.zeros(count)):
        found = random_channel(audio, random, speech, Odds())
        assert found.sound.shape == found.direct.shape == (count,)
        assert np.isfinite(found.sound).all()
        assert np.isfinite(found.direct).all()


def _received(**odds: Any) -> tuple[np.ndarray, np.ndarray]:
    nothing: dict[str, Any] = {"clean": 0, "line": 0, "room": 0, "noise": 0, "distorted": 0}
    audio = np.random.default_rng(1).standard_normal(RATE)
    audio[RATE // 2 :] = 0
    found = random_channel(audio, np.random.default_rng(2), lambda: audio, Odds(**(nothing | odds)))
    return found.sound, found.direct


def test_the_direct_sound_has_the_microphone_s_colour() -> None:
    sound, direct = _received(level_db=(-20.0, -20.0))
    np.testing.assert_array_equal(sound, direct)
    assert 0.01 < direct[: RATE // 2].std() < 0.5


def test_a_room_and_noise_are_beside_the_direct_sound() -> None:
    sound, direct = _received(room=1.0, reverb_db=(-6.0, -6.0), level_db=(0.0, 0.0))
    ratio = np.mean((sound - direct) ** 2) / np.mean(direct**2)
    assert 0.1 < ratio < 0.4  # 6 dB below the direct sound, but for what rings after the piece
    sound, direct = _received(noise=1.0, noise_db=(20.0, 20.0), level_db=(0.0, 0.0))
    ratio = np.mean((sound - direct) ** 2) / np.mean(direct**2)
    np.testing.assert_allclose(ratio, 0.01, rtol=1e-6)
