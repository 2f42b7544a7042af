"""Resting in silence: while nothing is said the graph need not run.

Time stands still for the graph meanwhile, so all of its memory stays aligned. Two thresholds and a
hold keep it from falling asleep between words; the block before a sound goes in with it.
"""

from __future__ import annotations

import math

import numpy as np

from ._level_meters import decibels


class SilenceGate:
    """Decides block by block.

    Args:
        opens_db: root mean square of 10 ms in dB (full scale), from which on there is sound.
        closes_db: the same, below which there is none; lower than ``opens_db``.
        hold_s: how long there must be none before it rests: at least what is still inside.
        rate: of the blocks in Hz.
        block_s: their length.

    Attributes:
        rested: blocks of the newest rest.
    """

    def __init__(
        self, opens_db: float, closes_db: float, hold_s: float, rate: float, block_s: float
    ) -> None:
        self.opens_db, self.closes_db = opens_db, closes_db
        self.skipped_blocks = 0
        self._hold = max(1, math.ceil(hold_s / block_s - 1e-6))
        self._part = max(1, round(rate / 100))
        self._quiet = 0
        self._open = True

    def should_skip(self, block: np.ndarray) -> bool:
        """Whether the graph may leave ``block`` ``[C, N]`` out."""
        loudest = self._loudest_db(block)
        if loudest >= (self.closes_db if self._open else self.opens_db):
            self._open, self._quiet = True, 0
            return False
        self._quiet += 1
        if self._open and self._quiet <= self._hold:
            return False
        self.skipped_blocks = 1 if self._open else self.skipped_blocks + 1
        self._open = False
        return True

    def _loudest_db(self, block: np.ndarray) -> float:
        """Of the parts of 10 ms: a short onset at the end of a block is a sound, too."""
        channels, count = block.shape
        part = min(self._part, count)
        whole = count // part * part
        parts = block[:, count - whole :].reshape(channels, -1, part)
        power = (parts * parts).mean(2).max()
        return decibels(float(power) ** 0.5)
