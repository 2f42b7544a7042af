"""The step contours: F0 and level of the speech, every 10 ms."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np
import torch

from voicegraph.nodes.dsp.hann_power import HannPower, window_samples
from voicegraph.nodes.dsp.loudness import FLOOR_DB, FRAMES_HZ
from voicegraph.nodes.f0.frame_grid import resample_to_grid
from voicegraph.nodes.f0.swift_network import HOP as SWIFT_HOP
from voicegraph.nodes.f0.swift_network import SwiftDetector, load_swift
from voicegraph.nodes.world import world_library

from ..common.atomic_files import write_arrays
from .augmentation import ENCODER_RATE, load_for_encoder
from .workdir import Workdir

HOP = ENCODER_RATE // 100
"""Samples from frame to frame."""
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 550.0
_CONFIDENCE = 0.5
_POWER_FLOOR = 1e-12
"""-120 dB of full scale."""


def jobs(workdir: Workdir) -> list[tuple]:
    """Arguments of :func:`measure` for all files that are missing."""
    return [
        (workdir, number)
        for number in workdir.utterances()
        if not workdir.contours(number).exists()
    ]


def measure(workdir: Workdir, number: int) -> None:
    """Writes ``f0`` in Hz, 0 where unvoiced, and ``level`` in dB of an utterance, ``[frames]``."""
    audio = load_for_encoder(workdir, number)
    f0, level = f0_contour(audio).astype(np.float32), level_contour(audio).astype(np.float32)
    write_arrays(workdir.contours(number), f0=f0, level=level)


def f0_contour(audio: np.ndarray) -> np.ndarray:
    """F0 at 0, 10, 20 ... ms, by SwiftF0, refined by WORLD's StoneMask.

    Args:
        audio: ``[samples]`` at 16 kHz.

    Returns:
        Hz ``[samples // 160 + 1]``, float64; 0 where unvoiced.
    """
    pitch, confidence = _swift().whole(torch.from_numpy(audio.astype(np.float32)))
    coarse = np.where(confidence.numpy() > _CONFIDENCE, pitch.numpy(), 0.0)
    times, count = np.arange(len(coarse)) * (SWIFT_HOP / ENCODER_RATE), len(audio) // HOP + 1
    grid = resample_to_grid(times, coarse, count)
    return world_library.refine(audio, grid, np.arange(count) / FRAMES_HZ, ENCODER_RATE)


def level_contour(audio: np.ndarray) -> np.ndarray:
    """Level as ``dsp.loudness`` measures it; its floor is ``FLOOR_DB``.

    Args and result as for :func:`unfloored_level_contour`.
    """
    return np.maximum(unfloored_level_contour(audio), FLOOR_DB)


def unfloored_level_contour(audio: np.ndarray) -> np.ndarray:
    """Level around 0, 10, 20 ... ms, at least -120 dB.

    Args:
        audio: float64 ``[samples]`` at 16 kHz.

    Returns:
        dB of full scale ``[samples // 160 + 1]``.
    """
    rate = Fraction(ENCODER_RATE)
    half = window_samples(rate) // 2
    padded = torch.from_numpy(np.pad(audio, half))[None]
    power = HannPower(0, len(audio) // HOP + 1, rate, FRAMES_HZ)(padded)[0].numpy()
    return 10 * np.log10(power + _POWER_FLOOR)


@functools.cache
def _swift() -> SwiftDetector:
    return SwiftDetector(load_swift(), _LOWEST_HZ, _HIGHEST_HZ)
