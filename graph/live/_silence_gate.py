"""The silence gate: voice activity detection (VAD) by level, to skip silent blocks.

The graph does not see skipped blocks: its time stops, so all of its state stays aligned. Hysteresis
(two thresholds) and a hold time prevent skips between words. The block before a sound is processed,
too.
"""

from __future__ import annotations

import math

import numpy as np

from ._level_meters import decibels


class SilenceGate:
    """Decides for each block whether it is skipped.

    Args:
        opens_db: level (root mean square of 10 ms, in dB relative to full scale) from which on
            there is sound.
        closes_db: level below which there is silence; lower than ``opens_db``.
        hold_s: seconds of silence before blocks are skipped; at least the latency of the pipeline.
        rate: of the blocks in Hz.
        block_s: length of a block in seconds.

    Attributes:
        skipped_blocks: length of the newest skip in blocks.
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
        """Whether ``block`` ``[C, N]`` may be skipped."""
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
        """Level of the loudest 10 ms, so that a short onset at the end of a block counts."""
        channels, count = block.shape
        part = min(self._part, count)
        whole = count // part * part
        parts = block[:, count - whole :].reshape(channels, -1, part)
        power = (parts * parts).mean(2).max()
        return decibels(float(power) ** 0.5)
