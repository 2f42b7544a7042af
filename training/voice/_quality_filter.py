"""Quality filter: rejects utterances that are too short, clipped, noisy or unvoiced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt

from voicegraph.experiments.observers.contours import HOP, RATE, swift_contour

from ._decoding import PEAKS_HZ
from ._segmentation import SHORTEST_S, STEP_S, Span
from .contours import level_contour

SNR_DB = 15.0
"""Lowest signal-to-noise ratio of an utterance."""
VOICED = 0.12
"""Lowest share of voiced frames: whispering and applause have hardly any."""
_AT_CEILING, _AT_CEILING_SHARE = 4, 0.015
"""Peaks of 20 ms at the same height, and their share, from which on an utterance counts as clipped.
Each of 24 natural utterances had one; of those 6 dB too loud, half had 34 or more."""
_NEAR_CEILING_SHARE = 0.1
"""Share of the peaks within a tenth of the highest. Natural speech stays below 0.03. Lossy coding
and resampling blur the ceiling of clipped speech, but leave its peaks near it."""
_RUMBLE_HZ = 80.0
"""There is no speech below."""
_NOISE_MARGIN_S = 0.5
"""Seconds around an utterance in which its noise is measured, too."""
_NOISE_PERCENTILE = 5
"""Percentile of the power that is taken for the noise."""
_EMPTY_DB = -90.0
_FILTER_SAMPLES = 64
"""Samples that the high-pass needs."""
_PIECE, _MARGIN = 6000, 56
"""Frames measured at a time, and their margin on either side: multiples of SwiftF0's frame."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """What is measured on a recording at 16 kHz.

    Attributes:
        power: above 80 Hz, in a window of 25 ms every 10 ms, ``[frames]``.
        f0: Hz every 10 ms, 0 where unvoiced, ``[frames]``.
        speech: probability of speech every 32 ms, ``[steps]``.
        peaks: as in ``_decoding.Decoded``.
    """

    power: np.ndarray
    f0: np.ndarray
    speech: np.ndarray
    peaks: np.ndarray


def measure(audio: np.ndarray, speech: np.ndarray, peaks: np.ndarray) -> Measurements:
    """Measures a recording, float32 ``[samples]`` at 16 kHz."""
    power, f0 = _in_pieces(_power, audio), _in_pieces(swift_contour, audio)
    return Measurements(power, f0, speech, peaks)


def _power(audio: np.ndarray) -> np.ndarray:
    filters = butter(4, _RUMBLE_HZ, "high", fs=RATE, output="sos")
    filtered = np.asarray(sosfiltfilt(filters, audio)) if len(audio) > _FILTER_SAMPLES else audio
    return 10 ** (np.maximum(level_contour(filtered), _EMPTY_DB) / 10)


def _in_pieces(of: Callable[[np.ndarray], np.ndarray], audio: np.ndarray) -> np.ndarray:
    """Applies ``of`` piece by piece, so that long recordings take bounded memory."""
    total = len(audio) // HOP + 1
    found: list[np.ndarray] = []
    for first in range(0, total, _PIECE):
        last, begin = min(first + _PIECE, total), max(first - _MARGIN, 0)
        piece = audio[begin * HOP : (last + _MARGIN) * HOP].astype(np.float64)
        found.append(of(piece)[first - begin : last - begin])
    return np.concatenate(found)


def snr_db(measured: Measurements, span: Span) -> float:
    """Signal-to-noise ratio: power of speech over that of its pauses, in dB."""
    wide = Span(span.start - _NOISE_MARGIN_S, span.end + _NOISE_MARGIN_S)
    around = measured.power[_frames(wide, 100)]
    inside = measured.power[_frames(span, 100)]
    times = span.start + np.arange(len(inside)) / 100
    steps = np.minimum((times / STEP_S).astype(int), len(measured.speech) - 1)
    spoken = inside[measured.speech[steps] >= 0.5]
    noise = float(np.percentile(around, _NOISE_PERCENTILE))
    loud = float(spoken.mean()) if len(spoken) else 0.0
    return float(10 * np.log10(max(loud - noise, 1e-12) / max(noise, 1e-12)))


def clipped(peaks: np.ndarray) -> str:
    """Describes the clipping of an utterance by its peaks; empty if it is not clipped."""
    if not len(peaks) or peaks.max() <= 0:
        return ""
    highest = peaks.max()
    touching = int((peaks >= 0.995 * highest).sum())
    near = float((peaks >= 0.9 * highest).mean())
    if touching < max(_AT_CEILING, _AT_CEILING_SHARE * len(peaks)) and near <= _NEAR_CEILING_SHARE:
        return ""
    return f"of {len(peaks)} peaks, {touching} have one height, {near:.0%} are within a tenth of it"


def voiced(measured: Measurements, span: Span) -> float:
    """Share of voiced frames."""
    inside = measured.f0[_frames(span, 100)]
    return float((inside > 0).mean()) if len(inside) else 0.0


def rejection(measured: Measurements, span: Span) -> tuple[str, str]:
    """First reason to reject an utterance and its figure; two empty strings if there is none."""
    if span.seconds < SHORTEST_S:
        return (
            "too short",
            f"{span.seconds:.2f} s between pauses; at least {SHORTEST_S} s are needed",
        )
    if found := clipped(measured.peaks[_frames(span, PEAKS_HZ)]):
        return "clipped", found
    if (snr := snr_db(measured, span)) < SNR_DB:
        return "noisy", f"{snr:.0f} dB above the noise; at least {SNR_DB:.0f} dB are needed"
    if (share := voiced(measured, span)) < VOICED:
        return "no voice", f"{share:.0%} of it is voiced: whispered, or not speech"
    return "", ""


def _frames(span: Span, rate: int) -> slice:
    return slice(max(0, round(span.start * rate)), max(0, round(span.end * rate)))
