"""A percentile of a stream that may change: a histogram that forgets."""

from __future__ import annotations

import numpy as np


class RunningPercentile:
    """Below which value a share of the newest values lay, bin by bin in a histogram.

    Each value adds 1 to its bin after all bins have been multiplied by ``1 - 1 / memory``: at first
    that counts all values alike, later the newest ``memory`` of them weigh most. Between the edges
    of the bin in which the percentile falls it is interpolated linearly. What lies beyond the ends
    counts in the outermost bins. Outliers move it no further than anything else on their side.

    Attributes:
        bins: in the histogram.
    """

    def __init__(self, low: float, high: float, bins: int, share: float, memory: float) -> None:
        """A histogram of ``bins`` from ``low`` to ``high``.

        Args:
            low: lower edge of the first bin.
            high: upper edge of the last one.
            bins: how many.
            share: of the values below the percentile, 0..1.
            memory: values after which one weighs 1/e of a new one.
        """
        self.bins = bins
        self._low = low
        self._width = (high - low) / bins
        self._share = share
        self._keep = 1 - 1 / memory

    def prefilled(self, streams: int, value: float, count: float) -> np.ndarray:
        """A histogram ``[streams, bins]`` as if ``count`` values of ``value`` had been there."""
        made = np.zeros((streams, self.bins))
        self.add_weighted(made, np.full(streams, value), np.full(streams, count))
        return made

    def update(self, histogram: np.ndarray, values: np.ndarray, counts: np.ndarray) -> None:
        """One value a stream.

        Args:
            histogram: float64 ``[streams, bins]``, changed in place.
            values: ``[streams]``.
            counts: bool ``[streams]``; where False nothing is added and nothing forgotten.
        """
        histogram *= np.where(counts, self._keep, 1.0)[:, None]
        self.add_weighted(histogram, values, counts.astype(float))

    def add_weighted(self, histogram: np.ndarray, values: np.ndarray, weights: np.ndarray) -> None:
        """Adds ``weights`` ``[streams]`` where ``values`` ``[streams]`` lie."""
        places = ((values - self._low) / self._width).astype(int)
        rows = np.arange(len(histogram))
        histogram[rows, np.clip(places, 0, self.bins - 1)] += weights

    def read(self, histogram: np.ndarray) -> np.ndarray:
        """The percentile ``[streams]``; ``low`` where nothing has been counted."""
        below = np.cumsum(histogram, 1)
        wanted = self._share * below[:, -1]
        place = np.minimum((below < wanted[:, None]).sum(1), self.bins - 1)
        rows = np.arange(len(histogram))
        held = histogram[rows, place]
        inside = wanted - (below[rows, place] - held)
        part = np.where(held > 0, inside / np.where(held > 0, held, 1.0), 0.0)
        return self._low + self._width * (place + np.clip(part, 0.0, 1.0))
