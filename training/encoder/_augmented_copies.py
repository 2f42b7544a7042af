"""The step copies: each utterance in other voices, said at the same time."""

from __future__ import annotations

import zlib

import numpy as np
import soundfile

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.augmentation import another_voice
from voicegraph.training.voice.workdir import write_speech

from ._workdir import COPIES, Place


def jobs(place: Place, seed: int) -> list[tuple]:
    """What is still to be made."""
    return [
        (place, name, copy, seed)
        for name in place.names()
        for copy in range(COPIES)
        if not place.copy(name, copy).exists()
    ]


def make(place: Place, name: str, copy: int, seed: int) -> None:
    """One copy, as 16-bit FLAC."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode()), copy])
    audio, _ = soundfile.read(place.speech(name))
    made = another_voice(audio, random)
    made *= min(1.0, 0.99 / max(np.abs(made).max(), 1e-9))
    write_speech(place.copy(name, copy), made, RATE)
