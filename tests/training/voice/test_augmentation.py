"""Augmented copies."""

from __future__ import annotations

import numpy as np

from voicegraph.training.voice import augmentation
from voicegraph.training.voice._sound_work import SoundFile
from voicegraph.training.voice.augmentation import CopyWork
from voicegraph.training.voice.workdir import Workdir


def test_seed_decides_the_copies(workdir: Workdir) -> None:
    sound = SoundFile.of(workdir.speech(0))
    first, again, other = (
        CopyWork(sound, (seed, 0, 0)).run(workdir.store).arrays["flac"].tobytes()
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_random_voice_changes_pitch_not_length() -> None:
    time = np.arange(32000) / 16000
    phase = 150 * time
    audio = 0.1 * np.sum([np.cos(2 * np.pi * h * phase) for h in range(1, 20)], 0)
    made = augmentation.random_voice(audio, np.random.default_rng(3))
    assert made.shape == audio.shape
    spectrum = np.abs(np.fft.rfft(made[8000:24000]))
    assert spectrum[145:155].max() < 0.2 * spectrum.max()
