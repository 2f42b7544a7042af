"""Perturbed copies."""

from __future__ import annotations

import numpy as np

from voicegraph.training.voice import augmentation
from voicegraph.training.voice.workdir import Workplace


def test_copies_are_decided_by_the_seed(place: Workplace) -> None:
    augmentation.perturb(place, 0, 0, 1)
    first = place.copy(0, 0).read_bytes()
    augmentation.perturb(place, 0, 0, 1)
    assert place.copy(0, 0).read_bytes() == first
    augmentation.perturb(place, 0, 0, 2)
    assert place.copy(0, 0).read_bytes() != first


def test_copies_have_another_pitch_and_the_same_length() -> None:
    time = np.arange(32000) / 16000
    phase = 150 * time
    audio = 0.1 * np.sum([np.cos(2 * np.pi * h * phase) for h in range(1, 20)], 0)
    made = augmentation.another_voice(audio, np.random.default_rng(3))
    assert made.shape == audio.shape
    spectrum = np.abs(np.fft.rfft(made[8000:24000]))
    assert spectrum[145:155].max() < 0.2 * spectrum.max()
