"""The grid of 10 ms steps on which the reference measures level, from a stream's beginning.

Where 10 ms are no whole number of samples (22050 Hz), step k begins at floor(k * rate / 100).
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
"""Levels are taken over 40 ms."""


def step_overhang(block: Fraction, end: Fraction, step: Fraction = STEP) -> Fraction:
    """How far past ``end`` a step may go on that began before it, in seconds.

    Blocks that are whole steps never cut one, so it is 0 for them; any other block meets the grid
    at every multiple of what the two have in common.

    Args:
        block: seconds between ticks.
        end: where a span ends at every tick, relative to the newest sample.
        step: seconds from one step to the next.
    """
    common = Fraction(
        math.gcd(block.numerator * step.denominator, step.numerator * block.denominator),
        block.denominator * step.denominator,
    )
    return step - (end % common or common)


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps in samples: one is ``numerator / denominator`` long, exactly."""

    numerator: int
    denominator: int

    @classmethod
    def at(cls, rate: Fraction) -> Grid:
        """The grid of a stream at ``rate`` Hz."""
        return cls((STEP * rate).numerator, (STEP * rate).denominator)

    def steps(self, first: int, count: int) -> tuple[int, int]:
        """The first step that holds any of ``count`` samples, and the first after the last of them.

        Args:
            first: position of a sample in its stream; may be negative.
            count: how many samples, 1 or more.
        """
        low = -(-(first + 1) * self.denominator // self.numerator) - 1
        return low, -(-(first + count) * self.denominator // self.numerator)

    def edges(self, low: int, high: int) -> np.ndarray:
        """Where the steps ``low`` to ``high`` begin: int64 sample positions in the stream."""
        return np.arange(low, high + 1, dtype=np.int64) * self.numerator // self.denominator

    def by_phase(
        self, position: torch.Tensor, run: Callable[[int, slice], torch.Tensor], cycle: int = 1
    ) -> torch.Tensor:
        """Runs streams that stand at the same place of the grid at once.

        They all do, until one of them is reset between two steps; from then on each runs alone.

        Args:
            position: int64 ``[streams]``, a sample position of each.
            run: called with a position at the same place of the grid, and with the streams' slice.
            cycle: steps after which places count as the same; a multiple of ``denominator`` is
                used, the least one.

        Returns:
            What ``run`` gave, joined along the streams.
        """
        period = self.numerator * (math.lcm(cycle, self.denominator) // self.denominator)
        phases = [at % period for at in position.tolist()]
        if len(set(phases)) == 1:
            return run(phases[0], slice(None))
        return torch.cat([run(phase, slice(i, i + 1)) for i, phase in enumerate(phases)])


def mean_squares(audio: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Mean square of every 40 ms: of steps 0..3, of steps 1..4, and so on.

    Args:
        audio: ``[streams, channels, samples]``.
        cuts: sample numbers in ``audio`` where steps begin, and the last ends: ``[steps + 1]``.

    Returns:
        float64 ``[streams, steps - 3]``, over all channels.
    """
    power = np.square(audio[:, :, : cuts[-1]], dtype=np.float64)
    sums = np.add.reduceat(power, cuts[:-1], axis=2).sum(1)
    count = sums.shape[1] - WINDOW_STEPS + 1
    # Added afresh for every window: a running sum would leave rounding where silence follows.
    total = sum(sums[:, i : i + count] for i in range(WINDOW_STEPS))
    return total / ((cuts[WINDOW_STEPS:] - cuts[:-WINDOW_STEPS]) * audio.shape[1])
