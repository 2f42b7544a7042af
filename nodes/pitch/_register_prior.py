"""Where the register of an unknown speaker probably lies, from the first voiced frames on."""

from __future__ import annotations

import math

import numpy as np

_SPEAKERS = ((114.0, 2.7), (191.0, 1.9))
"""Registers of speakers: medians of F0 in Hz, and how far they spread in semitones. Men and women
of LibriSpeech, 174 speakers, taken to be as many of each."""
_ANYBODY = 0.02
"""Density of all other registers beside the highest of these: children, and people who act."""
_LOWEST_HZ, _HIGHEST_HZ, _STEP = 60.0, 340.0, 0.25
"""Registers that are considered; in steps of so many semitones."""
_WIDTH, _SLOPE = 3.0, 1.5
"""Frames lie around the register, in semitones, as under a curve with heavy tails: slips of the
tracker by an octave say next to nothing."""
_ALIKE_S = 0.2
"""Frames of so long tell no more than one: they belong to one syllable."""
_FIRST = 1.0
"""The first frame tells as much as so many that are independent: a man's voice or a woman's."""
_HIGH, _OPENING_S = 3.0, 0.6
"""Speech begins so many semitones above its register, and falls to it with this time constant."""
_FADES_S = 3.0
"""How fast the posterior gives way to what was counted, in voiced speech."""
_FORGOTTEN = 1e-3


class RegisterPrior:
    """Bayes' rule over registers: how speakers are distributed, times what was heard.

    Measured over 174 speakers: up to about 2 s of voiced speech, the median of the posterior is
    nearer to the median of the whole recording than the median of the frames so far.

    Attributes:
        size: registers that are considered.
    """

    def __init__(self, rate: float) -> None:
        """``rate`` of frames in Hz."""
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
        """What the posterior still counts, 0..1, after so many voiced frames ``[streams]``."""
        share = np.exp(-heard / (_FADES_S * self._rate))
        return np.where(share > _FORGOTTEN, share, 0.0)

    def update(
        self, likelihood: np.ndarray, octaves: np.ndarray, counts: np.ndarray, heard: np.ndarray
    ) -> None:
        """One frame.

        Args:
            likelihood: log-likelihood of each register, float64 ``[streams, size]``, 0 at first;
                changed in place.
            octaves: F0, log2 of Hz, ``[streams]``.
            counts: bool ``[streams]``; where False, nothing is heard.
            heard: voiced frames before this one, ``[streams]``.
        """
        falls = _HIGH * np.exp(-heard / (_OPENING_S * self._rate))
        away = ((12 * octaves - falls)[:, None] - self._grid) / _WIDTH
        weight = np.where(heard == 0, self._first, self._weight)
        likelihood -= np.where(counts, weight, 0.0)[:, None] * np.log1p(away**2)

    def median(self, likelihood: np.ndarray) -> np.ndarray:
        """The median of the posterior, log2 of Hz, ``[streams]``."""
        posterior = self._prior + likelihood
        below = np.cumsum(np.exp(posterior - posterior.max(1, keepdims=True)), 1)
        place = (below < 0.5 * below[:, -1:]).sum(1)
        return self._grid[place] / 12
