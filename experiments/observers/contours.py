"""F0 and level of a whole sound, every 10 ms: what observers keep, and what training prepares."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np
import torch

from voicegraph.nodes.dsp.hann_power import HannPower, window_samples
from voicegraph.nodes.f0.frame_grid import GridPositions
from voicegraph.nodes.f0.swift_network import HOP as SWIFT_HOP
from voicegraph.nodes.f0.swift_network import SwiftDetector, load_swift
from voicegraph.nodes.world import world_library

RATE = 16000
"""Sample rate that all functions here take, in Hz."""
FRAMES_HZ = 100
"""Frame rate of all contours; frame k lies at k / 100 s."""
HOP = RATE // FRAMES_HZ
LOWEST_HZ, HIGHEST_HZ = 60.0, 550.0
"""F0 of speech that is looked for."""
_CONFIDENCE = 0.5
_POWER_FLOOR = 1e-12
"""-120 dB of full scale."""


def swift_contour(audio: np.ndarray) -> np.ndarray:
    """F0 by SwiftF0, refined by WORLD's StoneMask.

    Voiced is where the confidence, interpolated between frames of the network, reaches one half, as
    in the node ``f0.swift``.

    Args:
        audio: ``[samples]`` at 16 kHz.

    Returns:
        Hz ``[samples // 160 + 1]``, float64; 0 where unvoiced.
    """
    pitch, confidence = _swift().whole(torch.from_numpy(audio.astype(np.float32)))
    times, count = np.arange(len(pitch)) * (SWIFT_HOP / RATE), len(audio) // HOP + 1
    grid = GridPositions.of(times, count)
    found = grid.by_confidence(pitch.numpy(), confidence.numpy(), _CONFIDENCE)
    return _refined(audio, found)


def harvest_contour(audio: np.ndarray) -> np.ndarray:
    """F0 by WORLD's Harvest, refined by its StoneMask; args and result as :func:`swift_contour`."""
    whole = np.ascontiguousarray(audio, np.float64)
    period_ms = 1000 / FRAMES_HZ
    return _refined(whole, world_library.harvest(whole, RATE, LOWEST_HZ, HIGHEST_HZ, period_ms))


def dio_contour(audio: np.ndarray) -> np.ndarray:
    """F0 by WORLD's DIO, refined by its StoneMask; args and result as :func:`swift_contour`."""
    whole = np.ascontiguousarray(audio, np.float64)
    found, _ = world_library.dio(whole, RATE, LOWEST_HZ, HIGHEST_HZ, 1000 / FRAMES_HZ, 0.1)
    return _refined(whole, found)


def level_contour(audio: np.ndarray) -> np.ndarray:
    """Level in Hann windows of 25 ms, at least -120 dB.

    Args:
        audio: ``[samples]`` at 16 kHz.

    Returns:
        dB of full scale ``[samples // 160 + 1]``.
    """
    rate = Fraction(RATE)
    half = window_samples(rate) // 2
    padded = torch.from_numpy(np.pad(audio, half))[None]
    power = HannPower(0, len(audio) // HOP + 1, rate, FRAMES_HZ)(padded)[0].numpy()
    return 10 * np.log10(power + _POWER_FLOOR)


def _refined(audio: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """F0 refined by instantaneous frequency; ``audio`` ``[samples]``, ``f0`` ``[frames]``."""
    whole = np.ascontiguousarray(audio, np.float64)
    times = np.arange(len(f0)) / FRAMES_HZ
    return world_library.refine(whole, np.ascontiguousarray(f0, np.float64), times, RATE)


@functools.cache
def _swift() -> SwiftDetector:
    return SwiftDetector(load_swift(), LOWEST_HZ, HIGHEST_HZ)
