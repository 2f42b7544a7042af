"""Follows the register of a speaker: the median of log F0 over voiced frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import torch

from voicegraph.nodes.dsp.running_percentile import RunningPercentile
from voicegraph.nodes.pitch._register_prior import RegisterPrior

_LOWEST, _HIGHEST, _BINS = math.log2(30), math.log2(30 * 2**6), 144
"""Range of the histogram in log2 of Hz: six octaves in steps of half a semitone."""
_GLIDE_S = 0.3
"""Time constant with which the applied register follows the estimate; longer than a syllable."""
_TOLD_S = 0.5
"""Weight of a register that is told, in seconds of speech."""
_KNOWN_S = 60.0
"""Initial count of voiced frames, in seconds, of a register that is told: it switches the prior
off."""

Held = Mapping[str, np.ndarray]
"""The state of the estimate, changed in place; see :meth:`RegisterEstimate.start`."""


class RegisterEstimate:
    """A histogram with a memory, and in the first seconds a Bayesian estimate."""

    def __init__(self, rate: float, settle: Fraction) -> None:
        """An estimate of frames at ``rate`` Hz, with a memory of ``settle`` voiced seconds."""
        self._rate = rate
        self._median = RunningPercentile(_LOWEST, _HIGHEST, _BINS, 0.5, float(settle) * rate)
        self._prior = RegisterPrior(rate)
        self._follow = 1 - math.exp(-1 / (_GLIDE_S * rate))

    def start(self, streams: int, told: float | None) -> dict[str, torch.Tensor]:
        """What a stream remembers at first; ``told`` is the register in Hz, if it is known.

        Returns:
            ``histogram`` float64 ``[streams, bins]`` of log F0; ``heard`` int64 ``[streams]``,
            voiced frames so far, one minute if the register is told; ``likelihood`` float64
            ``[streams, registers]``, log-likelihood of each register; ``register`` float64
            ``[streams]``, the applied register, log2 of Hz.
        """
        known = told is not None
        begin = math.log2(told) if told is not None else 0.0
        count = _TOLD_S * self._rate if known else 0.0
        return {
            "histogram": torch.from_numpy(self._median.prefilled(streams, begin, count)),
            "heard": torch.full((streams,), int(_KNOWN_S * self._rate) if known else 0),
            "likelihood": torch.zeros(streams, self._prior.size, dtype=torch.float64),
            "register": torch.full((streams,), begin, dtype=torch.float64),
        }

    def take(self, octaves: np.ndarray, counts: np.ndarray, held: Held) -> np.ndarray:
        """The applied register with each of some frames, log2 of Hz ``[streams, frames]``.

        It follows the estimate with a time constant of 0.3 s, and begins with it.

        Args:
            octaves: F0, log2 of Hz, ``[streams, frames]``.
            counts: frames that count, bool ``[streams, frames]``.
            held: the state.
        """
        heard = held["heard"][:, None] + np.cumsum(counts, 1)  # after each frame
        found = self._found(octaves, counts, heard, held)
        applied = self._follow_estimate(found, counts, heard, held)
        held["heard"][:] = heard[:, -1]
        return applied

    def _found(
        self, octaves: np.ndarray, counts: np.ndarray, heard: np.ndarray, held: Held
    ) -> np.ndarray:
        """The register after each frame: posterior median first, histogram later.

        Args:
            octaves: as for :meth:`take`.
            counts: as for :meth:`take`.
            heard: frames that have counted, with each frame, ``[streams, frames]``.
            held: the state.
        """
        made = self._median.count(held["histogram"], self._median.places(octaves), counts)
        held["histogram"][:] = made[-1]
        found = self._median.read(made).T
        before = heard - counts
        if self._prior.weight(before[:, 0]).any():
            likelihood = self._prior.update(held["likelihood"], octaves, counts, before)
            held["likelihood"][:] = likelihood[:, -1]
            found = found + self._prior.weight(heard) * (self._prior.median(likelihood) - found)
        return found

    def _follow_estimate(
        self, found: np.ndarray, counts: np.ndarray, heard: np.ndarray, held: Held
    ) -> np.ndarray:
        """The applied register in each frame, ``[streams, frames]``."""
        applied, made = held["register"], np.empty_like(found)
        first, follow = counts & (heard == 1), np.where(heard > 0, self._follow, 0.0)
        begins = first.any()
        for k in range(found.shape[1]):
            if begins:
                np.copyto(applied, found[:, k], where=first[:, k])
            applied += follow[:, k] * (found[:, k] - applied)
            made[:, k] = applied
        return made
