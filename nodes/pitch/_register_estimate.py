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
"""Shortest time constant with which the applied register follows; longer than a syllable."""
_AUDIBLE = 1 / 12
"""Distance from the estimate in octaves at which the applied register follows twice as fast. With
half a semitone more and half the time constant, it moves more for hardly less distance."""
_EAGER, _COMMITS_S = 48.0, 0.25
"""At first it follows this many times faster, which fades with this time constant in seconds of
voiced speech. Fitted to 185 speakers of LibriSpeech."""
_TOLD_S = 0.5
"""Weight of a register that is told, in seconds of speech."""
_KNOWN_S = 60.0
"""Initial count of voiced frames, in seconds, of a register that is told: it switches the prior
off."""

Held = Mapping[str, np.ndarray]
"""The state of the estimate, changed in place; see :meth:`RegisterEstimate.start`."""


class RegisterEstimate:
    """A histogram with a memory, in the first seconds a Bayesian estimate, and what is applied.

    The estimate moves by semitones while the first sentence is spoken, since one phrase lies higher
    than the next. A shift that moved along would bend the melody, whereas a constant offset of a
    semitone sounds natural. So the applied register a follows the estimate e by

        da/dt = (e - a) / follow * (1 + ((e - a) / 1 semitone)^2) * (1 + 48 exp(-s / 0.25))

    with s the seconds of voiced speech so far, and no faster than by (e - a) / 0.3 s: quickly while
    little is known or the distance is large, slowly otherwise.

    Source: a control whose movement costs in proportion leaves small errors alone: J. M. Harrison
    and M. I. Taksar, "Instantaneous control of Brownian motion", Math. Oper. Res. 8(3), 1983; here
    its band of inaction has soft edges, so that the error still goes to 0.
    """

    def __init__(self, rate: float, settle: Fraction, follow: Fraction) -> None:
        """An estimate of frames at ``rate`` Hz.

        Args:
            rate: frames a second.
            settle: memory of the estimate in voiced seconds.
            follow: time constant in seconds with which small errors are corrected.
        """
        self._rate = rate
        self._median = RunningPercentile(_LOWEST, _HIGHEST, _BINS, 0.5, float(settle) * rate)
        self._prior = RegisterPrior(rate)
        self._slowest = 1 / (float(follow) * rate)
        self._fastest = 1 - math.exp(-1 / (_GLIDE_S * rate))

    def start(self, streams: int, told: float | None) -> dict[str, torch.Tensor]:
        """What a stream remembers at first; ``told`` is the register in Hz, if it is known.

        Returns:
            ``histogram`` float64 ``[streams, bins]`` of log F0; ``heard`` int64 ``[streams]``,
            voiced frames so far, one minute if the register is told; ``likelihood`` float64
            ``[streams, registers]``, log-likelihood of each register; ``register`` float64
            ``[streams]``, the applied register, log2 of Hz; ``begun`` int64 ``[streams]``, 1 once
            it has been applied to a voiced frame, or is told.
        """
        known = told is not None
        begin = math.log2(told) if told is not None else 0.0
        count = _TOLD_S * self._rate if known else 0.0
        return {
            "histogram": torch.from_numpy(self._median.prefilled(streams, begin, count)),
            "heard": torch.full((streams,), int(_KNOWN_S * self._rate) if known else 0),
            "likelihood": torch.zeros(streams, self._prior.size, dtype=torch.float64),
            "register": torch.full((streams,), begin, dtype=torch.float64),
            "begun": torch.full((streams,), int(known)),
        }

    def take(
        self, octaves: np.ndarray, counts: np.ndarray, sounds: np.ndarray, held: Held
    ) -> np.ndarray:
        """The applied register with each of some frames, log2 of Hz ``[streams, frames]``.

        It begins with the estimate at the first frame that it is applied to; until then it is the
        estimate itself, and 0 before the first frame that counts.

        Args:
            octaves: F0, log2 of Hz, ``[streams, frames]``.
            counts: frames that count, bool ``[streams, frames]``.
            sounds: frames that the result is applied to and that are voiced, bool ``[streams,
                frames]``: ``counts``, or earlier frames if the estimate looks ahead of them.
            held: the state.
        """
        heard = held["heard"][:, None] + np.cumsum(counts, 1)  # after each frame
        found = self._found(octaves, counts, heard, held)
        before = held["begun"][:, None] + np.cumsum(sounds, 1) - sounds
        applied = self._follow_estimate(found, before == 0, heard, held)
        held["heard"][:] = heard[:, -1]
        np.maximum(held["begun"], sounds.any(1), out=held["begun"])
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
        self, found: np.ndarray, free: np.ndarray, heard: np.ndarray, held: Held
    ) -> np.ndarray:
        """The applied register in each frame, ``[streams, frames]``.

        Args:
            found: the estimate.
            free: bool, frames up to the first that the register is applied to.
            heard: frames that have counted, with each frame.
            held: the state.
        """
        eager = 1 + _EAGER * np.exp(-heard / (_COMMITS_S * self._rate))
        shares = np.where(heard > 0, self._slowest * eager, 0.0).tolist()
        known, jumps = found.tolist(), (free & (heard > 0)).tolist()
        made = np.empty_like(found)
        # Frame by frame in plain numbers: for a few streams faster than operations on arrays.
        for row, at in enumerate(held["register"].tolist()):
            for k, goal in enumerate(known[row]):
                if jumps[row][k]:
                    at = goal
                else:
                    away = goal - at
                    share = shares[row][k] * (1 + (away / _AUDIBLE) ** 2)
                    at += away * min(share, self._fastest)
                made[row, k] = at
            held["register"][row] = at
        return made
