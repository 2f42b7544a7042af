"""The step copies: each utterance in other voices, with the same timing."""

from __future__ import annotations

import zlib

import numpy as np
import soundfile

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.augmentation import random_voice

from ..common.atomic_files import write_audio
from ._workdir import COPIES, EncoderWorkdir


def jobs(workdir: EncoderWorkdir, seed: int) -> list[tuple]:
    """Arguments of :func:`make` for all files that are missing."""
    return [
        (workdir, name, copy, seed)
        for name in workdir.names()
        for copy in range(COPIES)
        if not workdir.augmented_copy(name, copy).exists()
    ]


def make(workdir: EncoderWorkdir, name: str, copy: int, seed: int) -> None:
    """Writes one copy as 16-bit FLAC."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode()), copy])
    audio, _ = soundfile.read(workdir.speech(name))
    made = random_voice(audio, random)
    made *= min(1.0, 0.99 / max(np.abs(made).max(), 1e-9))
    write_audio(workdir.augmented_copy(name, copy), made, RATE)
