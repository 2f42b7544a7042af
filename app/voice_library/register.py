"""The pitch that a voice speaks with, measured on a recording of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.graph.metrics.f0_contour import FRAMES, RATE, contour
from voicegraph.schemas.voice_register import VoiceRegister

_SECONDS = 60
"""What is measured of a longer recording: its beginning."""
_LEAST = 1 * FRAMES
"""Voiced frames below which nothing is said: a second of voice."""
_TRACKER = "f0.swift"


def measured_register(sample: Path) -> VoiceRegister:
    """Median and range of F0 of a recording.

    Args:
        sample: a sound file of the voice alone; its first minute is used.

    Raises:
        InputError: if it cannot be read, or has less than a second of voice.
    """
    with AudioReader(sample) as reader:
        rate, parts = int(reader.type.rate), list[np.ndarray]()
        for block in reader:
            parts.append(block.mean(axis=0))
            if sum(map(len, parts)) >= _SECONDS * rate:
                break
    sound = np.concatenate(parts).astype(np.float32)[: _SECONDS * rate]
    heard = sound if rate == RATE else soxr.resample(sound, rate, RATE, "HQ")
    found = contour(heard, _TRACKER)
    voiced = found[found > 0]
    if len(voiced) < _LEAST:
        text = f"{sample} has {len(voiced) / FRAMES:.1f} s of voice, too little to learn its pitch"
        raise InputError(Problem("no-pitch", text, fix="--sample: some seconds of the voice alone"))
    low, median, high = np.percentile(voiced, (5, 50, 95))
    return VoiceRegister(
        median_hz=round(float(median), 1),
        low_hz=round(float(low), 1),
        high_hz=round(float(high), 1),
        learned_from=f"{sample.name}, {len(voiced) / FRAMES:.0f} s of voice, by {_TRACKER}"[:400],
    )
