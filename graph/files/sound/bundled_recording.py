"""The recording in the package: speech for the demo and for measurements."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import numpy as np
import soundfile
import soxr

from ...signals import Audio

NAME = "librispeech-8088-284756-0000.flac"
SPEAKER = "8088"
"""Number of the speaker in LibriSpeech."""
ATTRIBUTION = (
    "LibriSpeech (V. Panayotov, G. Chen, D. Povey, S. Khudanpur, ICASSP 2015, openslr.org/12), "
    f"speaker {SPEAKER}, CC BY 4.0"
)


def path() -> Path:
    """The sound file: 8.6 s of a man reading, 16 kHz, mono."""
    return Path(str(importlib.resources.files("voicegraph.pipelines"))) / "audio" / NAME


def speech(kind: Audio) -> np.ndarray:
    """The recording as float32 ``[channels, samples]`` at any rate, the same in all channels."""
    samples, rate = soundfile.read(path(), dtype="float32")
    made = soxr.resample(samples, rate, float(kind.rate), "HQ")
    return np.tile(made.astype(np.float32), (kind.channels, 1))
