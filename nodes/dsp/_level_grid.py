"""The grid of 10 ms steps on which RVC measures level, counted from the beginning of a stream.

If 10 ms is not a whole number of samples (22050 Hz), step k begins at floor(k * rate / 100).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

STEP = Fraction(1, 100)
"""Seconds."""
WINDOW_STEPS = 4
"""Levels are measured over 40 ms."""


def step_overhang(block: Fraction, end: Fraction, step: Fraction = STEP) -> Fraction:
    """How far a step that begins before ``end`` may extend beyond it, in seconds.

    It is 0 if a block is a multiple of a step. Otherwise the block boundary takes all positions in
    a step that are multiples of the greatest common divisor of both.

    Args:
        block: seconds between ticks.
        end: end of the span at every tick, relative to the newest sample, in seconds.
        step: seconds from one step to the next.
    """
    common = Fraction(
        math.gcd(block.numerator * step.denominator, step.numerator * block.denominator),
        block.denominator * step.denominator,
    )
    return step - (end % common or common)


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid whose steps are exactly ``numerator / denominator`` samples long."""

    numerator: int
    denominator: int

    @classmethod
    def at(cls, rate: Fraction) -> Grid:
        """The grid of a stream at ``rate`` Hz."""
        return cls((STEP * rate).numerator, (STEP * rate).denominator)

    def steps(self, first: int, count: int) -> tuple[int, int]:
        """The first step that holds one of ``count`` samples, and the first step after all of them.

        Args:
            first: position of a sample in its stream; may be negative.
            count: how many samples, 1 or more.
        """
        low = -(-(first + 1) * self.denominator // self.numerator) - 1
        return low, -(-(first + count) * self.denominator // self.numerator)

    def edges(self, low: int, high: int) -> np.ndarray:
        """First samples of the steps ``low`` to ``high``: int64 ``[high - low + 1]``."""
        return np.arange(low, high + 1, dtype=np.int64) * self.numerator // self.denominator

    def by_phase(
        self, position: torch.Tensor, run: Callable[[int, slice], torch.Tensor], cycle: int = 1
    ) -> torch.Tensor:
        """Processes streams of equal grid phase together.

        All streams have the same phase until one of them is reset between two steps; from then on
        each is processed alone.

        Args:
            position: int64 ``[streams]``, a sample position of each.
            run: called with a position of the same phase, and with the slice of the streams.
            cycle: number of steps after which the phase repeats; its least common multiple with
                ``denominator`` is used.

        Returns:
            The results of ``run``, concatenated along the streams.
        """
        period = self.numerator * (math.lcm(cycle, self.denominator) // self.denominator)
        phases = [at % period for at in position.tolist()]
        if len(set(phases)) == 1:
            return run(phases[0], slice(None))
        return torch.cat([run(phase, slice(i, i + 1)) for i, phase in enumerate(phases)])


def mean_squares(audio: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Mean squares over windows of 40 ms: of steps 0..3, of steps 1..4, and so on.

    Args:
        audio: ``[streams, channels, samples]``.
        cuts: sample indices in ``audio`` of the step boundaries: int ``[steps + 1]``.

    Returns:
        float64 ``[streams, steps - 3]``, over all channels.
    """
    power = np.square(audio[:, :, : cuts[-1]], dtype=np.float64)
    sums = np.add.reduceat(power, cuts[:-1], axis=2).sum(1)
    count = sums.shape[1] - WINDOW_STEPS + 1
    # Summed separately for every window: a running sum would leave rounding errors in silence.
    total = sum(sums[:, i : i + count] for i in range(WINDOW_STEPS))
    return total / ((cuts[WINDOW_STEPS:] - cuts[:-WINDOW_STEPS]) * audio.shape[1])
