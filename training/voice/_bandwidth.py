"""The bandwidth of speech in a recording, such as 3.4 kHz over a telephone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import welch

TELEPHONE_HZ = 4500.0
"""Speech with less bandwidth sounds like a telephone."""
_FFT_SIZE = 1024
_DROP_DB = 60.0
"""Speech ends where its spectrum is this far below its maximum. Fricatives close to the microphone
stay above that."""
_ENOUGH_S = 120.0


def highest_speech_hz(audio: np.ndarray, rate: int, spans: Sequence[tuple[float, float]]) -> float:
    """The highest frequency that has speech.

    Args:
        audio: float32 ``[samples]``.
        rate: of the audio, in Hz.
        spans: begin and end of speech, in seconds; the first two minutes are measured.
    """
    pieces: list[np.ndarray] = []
    taken = 0.0
    for start, end in spans:
        if taken > _ENOUGH_S:
            break
        pieces.append(audio[int(start * rate) : int(end * rate)])
        taken += end - start
    frequency, power = welch(np.concatenate(pieces), rate, nperseg=_FFT_SIZE)
    level = 10 * np.log10(power + 1e-20)
    return float(frequency[np.flatnonzero(level > level.max() - _DROP_DB)[-1]])
