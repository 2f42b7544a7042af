"""The step contours: pitch and level of what the voice says, every 10 ms."""

from __future__ import annotations

import functools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voicegraph.nodes.dsp.hann_power import hann_power, window_samples
from voicegraph.nodes.dsp.loudness import FLOOR_DB, FRAMES_HZ
from voicegraph.nodes.f0.frame_grid import onto_grid
from voicegraph.nodes.f0.swift import PACKAGE
from voicegraph.nodes.world import world_library

from .augmentation import LISTENING, listening
from .workdir import Workplace, write_whole

HOP = LISTENING // 100
"""Samples from frame to frame."""
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 550.0
_CONFIDENCE = 0.5


def jobs(place: Workplace) -> list[tuple]:
    """What is still to be measured."""
    return [(place, number) for number in place.spoken() if not place.contours(number).exists()]


def measure(place: Workplace, number: int) -> None:
    """Of one utterance ``f0`` in Hz, 0 where unvoiced, and ``level`` in dB, ``[frames]`` each."""
    audio = listening(place, number)
    f0, level = pitch(audio).astype(np.float32), levels(audio).astype(np.float32)

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, f0=f0, level=level)

    write_whole(place.contours(number), write)


def pitch(audio: np.ndarray) -> np.ndarray:
    """F0 in Hz at 0, 10, 20 ... ms: SwiftF0's, refined by WORLD's StoneMask."""
    found = _swift().detect(audio.astype(np.float32), LISTENING, _LOWEST_HZ, _HIGHEST_HZ)
    coarse = np.where(found.confidence > _CONFIDENCE, found.pitch_hz, 0.0)
    count = len(audio) // HOP + 1
    grid = onto_grid(found.timestamps, coarse, count)
    return world_library.refine(audio, grid, np.arange(count) / FRAMES_HZ, LISTENING)


def levels(audio: np.ndarray) -> np.ndarray:
    """Level around 0, 10, 20 ... ms in dB of full scale, as ``dsp.loudness`` measures it."""
    rate = Fraction(LISTENING)
    half = window_samples(rate) // 2
    padded = torch.from_numpy(np.pad(audio, half))[None]
    power = hann_power(padded, 0, len(audio) // HOP + 1, rate, FRAMES_HZ)[0].numpy()
    return np.maximum(10 * np.log10(power + 1e-12), FLOOR_DB)


@functools.cache
def _swift() -> Any:
    return PACKAGE.load().SwiftF0(threads=1, spin=False)
