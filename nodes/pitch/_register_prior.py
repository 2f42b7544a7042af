"""A Bayesian estimate of the register of an unknown speaker from the first voiced frames."""

from __future__ import annotations

import math

import numpy as np

_SPEAKERS = ((110.0, 2.6), (188.0, 2.1))
"""The prior: median F0 in Hz and standard deviation in semitones of men and of women, from 189
speakers of LibriSpeech, none of them in an evaluation, with equal weights."""
_ANYBODY = 0.02
"""Prior density of all other registers (children, acted voices), relative to the maximum."""
_LOWEST_HZ, _HIGHEST_HZ, _STEP = 60.0, 340.0, 0.25
"""Range of the registers in Hz, and step in semitones."""
_WIDTH, _SLOPE = 3.0, 1.5
"""Width in semitones and exponent of the likelihood of a frame. Its tails are heavy, so that octave
errors of the tracker have almost no influence."""
_ALIKE_S = 0.2
"""Seconds of frames that count as one independent observation: they belong to one syllable."""
_FIRST = 1.0
"""Weight of the first frame in independent observations: it distinguishes men from women."""
_HIGH, _OPENING_S = 2.7, 0.5
"""Speech begins this many semitones above its register, and falls to it with this time constant."""
_FADES_S = 3.0
"""Time constant with which the histogram replaces the posterior, in seconds of voiced speech."""
_FORGOTTEN = 1e-3


class RegisterPrior:
    """Bayes' rule over registers: the distribution of speakers times the likelihood of the frames.

    Measured over 189 speakers: up to about 2 s of voiced speech, the median of the posterior is
    nearer to the median of the whole recording than the median of the frames so far.

    Attributes:
        size: number of registers.
    """

    def __init__(self, rate: float) -> None:
        """``rate``: frames a second."""
        low, high = 12 * math.log2(_LOWEST_HZ), 12 * math.log2(_HIGHEST_HZ)
        self._grid = np.arange(low, high, _STEP)
        self.size = len(self._grid)
        self._rate = rate
        bells = [
            np.exp(-0.5 * ((self._grid - 12 * math.log2(hertz)) / spread) ** 2) / spread
            for hertz, spread in _SPEAKERS
        ]
        people = np.sum(bells, 0)
        self._prior = np.log(people + _ANYBODY * people.max())
        self._weight = _SLOPE / max(_ALIKE_S * rate, 1.0)
        self._first = _SLOPE * _FIRST

    def weight(self, heard: np.ndarray) -> np.ndarray:
        """Weight of the posterior, 0..1, after ``heard`` voiced frames ``[streams]``."""
        share = np.exp(-heard / (_FADES_S * self._rate))
        return np.where(share > _FORGOTTEN, share, 0.0)

    def update(
        self, likelihood: np.ndarray, octaves: np.ndarray, counts: np.ndarray, heard: np.ndarray
    ) -> np.ndarray:
        """The log-likelihoods after each of some frames, float64 ``[streams, frames, size]``.

        Args:
            likelihood: that before the first frame, float64 ``[streams, size]``, 0 at first.
            octaves: F0, log2 of Hz, ``[streams, frames]``.
            counts: bool ``[streams, frames]``; where False, the frame is ignored.
            heard: voiced frames before each frame, ``[streams, frames]``.
        """
        falls = _HIGH * np.exp(-heard / (_OPENING_S * self._rate))
        away = ((12 * octaves - falls)[..., None] - self._grid) / _WIDTH
        weight = np.where(counts, np.where(heard == 0, self._first, self._weight), 0.0)
        steps = weight[..., None] * np.log1p(away**2)
        steps[:, 0] = likelihood - steps[:, 0]
        return np.subtract.accumulate(steps, 1, out=steps)

    def median(self, likelihood: np.ndarray) -> np.ndarray:
        """The median of the posterior, log2 of Hz: ``[..., size]`` -> ``[...]``."""
        posterior = self._prior + likelihood
        below = np.cumsum(np.exp(posterior - posterior.max(-1, keepdims=True)), -1)
        place = (below < 0.5 * below[..., -1:]).sum(-1)
        return self._grid[place] / 12
