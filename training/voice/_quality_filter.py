"""What is wrong with an utterance by itself: too short, clipped, noisy, without a voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt

from . import contours
from ._decoding import PEAKS_HZ
from ._segmentation import SHORTEST_S, STEP_S, Span

SNR_DB = 15.0
"""Speech that is not as far above the noise is left out."""
VOICED = 0.12
"""Share of the frames that must have a pitch: whispering and applause have none."""
_TOUCHES, _TOUCHING = 4, 0.015
"""Peaks of 20 ms at one and the same height, and their share, from which on it is a ceiling. Of 24
natural utterances each had one; of those 6 dB too loud, half had 34 or more."""
_NEAR = 0.1
"""Share of the peaks within a tenth of the highest. Natural: below 0.03. Coding and resampling blur
a ceiling, and leave that."""
_RUMBLE_HZ = 80.0
"""Below lies no speech."""
_AROUND_S = 0.5
"""Pauses so far away tell of the noise, too."""
_QUIET = 5
"""Percentile of the level that is the noise's."""
_EMPTY_DB = -90.0
_SHORTEST = 64
"""Samples that a filter needs."""
_PIECE, _MARGIN = 6000, 56
"""Frames that are measured at a time, and more of them on either side: whole ones of SwiftF0's."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording at 16 kHz with all that is measured of it.

    Attributes:
        power: of 25 ms around every 10 ms above the rumble, ``[frames]``.
        f0: in Hz every 10 ms, 0 where unvoiced, ``[frames]``.
        speech: probability every 32 ms ``[steps]``.
        peaks: as in ``decoding.Decoded``.
    """

    power: np.ndarray
    f0: np.ndarray
    speech: np.ndarray
    peaks: np.ndarray


def measured(audio: np.ndarray, speech: np.ndarray, peaks: np.ndarray) -> Heard:
    """What can be said of a recording, float32 ``[samples]`` at 16 kHz."""
    return Heard(_in_pieces(_power, audio), _in_pieces(contours.pitch, audio), speech, peaks)


def _power(audio: np.ndarray) -> np.ndarray:
    filters = butter(4, _RUMBLE_HZ, "high", fs=contours.LISTENING, output="sos")
    above = np.asarray(sosfiltfilt(filters, audio)) if len(audio) > _SHORTEST else audio
    return 10 ** (np.maximum(contours.levels(above), _EMPTY_DB) / 10)


def _in_pieces(of: Callable[[np.ndarray], np.ndarray], audio: np.ndarray) -> np.ndarray:
    """A frame every 10 ms, of recordings of any length in bounded memory."""
    hop = contours.HOP
    total = len(audio) // hop + 1
    found: list[np.ndarray] = []
    for first in range(0, total, _PIECE):
        last, begin = min(first + _PIECE, total), max(first - _MARGIN, 0)
        piece = audio[begin * hop : (last + _MARGIN) * hop].astype(np.float64)
        found.append(of(piece)[first - begin : last - begin])
    return np.concatenate(found)


def snr_db(heard: Heard, span: Span) -> float:
    """How far speech lies above what is heard in its pauses."""
    around = heard.power[_frames(Span(span.start - _AROUND_S, span.end + _AROUND_S), 100)]
    inside = heard.power[_frames(span, 100)]
    times = span.start + np.arange(len(inside)) / 100
    steps = np.minimum((times / STEP_S).astype(int), len(heard.speech) - 1)
    spoken = inside[heard.speech[steps] >= 0.5]
    noise = float(np.percentile(around, _QUIET))
    loud = float(spoken.mean()) if len(spoken) else 0.0
    return float(10 * np.log10(max(loud - noise, 1e-12) / max(noise, 1e-12)))


def clipped(peaks: np.ndarray) -> str:
    """How the peaks of an utterance have met a ceiling; empty if they have not."""
    if not len(peaks) or peaks.max() <= 0:
        return ""
    highest = peaks.max()
    touching = int((peaks >= 0.995 * highest).sum())
    near = float((peaks >= 0.9 * highest).mean())
    if touching < max(_TOUCHES, _TOUCHING * len(peaks)) and near <= _NEAR:
        return ""
    return f"of {len(peaks)} peaks {touching} are at one height, {near:.0%} within a tenth of it"


def voiced(heard: Heard, span: Span) -> float:
    """Share of the frames that have a pitch."""
    inside = heard.f0[_frames(span, 100)]
    return float((inside > 0).mean()) if len(inside) else 0.0


def fault(heard: Heard, span: Span) -> tuple[str, str]:
    """What is wrong first, as a reason and its figure; two empty strings if nothing is."""
    if span.seconds < SHORTEST_S:
        return (
            "too short",
            f"{span.seconds:.2f} s between pauses, at least {SHORTEST_S} s are needed",
        )
    if found := clipped(heard.peaks[_frames(span, PEAKS_HZ)]):
        return "clipped", found
    if (snr := snr_db(heard, span)) < SNR_DB:
        return "noisy", f"{snr:.0f} dB above the noise, at least {SNR_DB:.0f} dB are needed"
    if (share := voiced(heard, span)) < VOICED:
        return "no voice", f"pitch in {share:.0%} of it: whispered, or no speech"
    return "", ""


def _frames(span: Span, rate: int) -> slice:
    return slice(max(0, round(span.start * rate)), max(0, round(span.end * rate)))
