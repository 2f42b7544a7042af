"""A running percentile: a histogram with exponential forgetting."""

from __future__ import annotations

import numpy as np


class RunningPercentile:
    """A percentile of the newest values, by a histogram.

    All bins are multiplied by ``1 - 1 / memory``, then each value adds 1 to its bin. The percentile
    is interpolated linearly within its bin. Values beyond the range count in the outermost bins.
    Outliers have no more influence than other values on the same side.

    Attributes:
        bins: number of bins.
    """

    def __init__(self, low: float, high: float, bins: int, share: float, memory: float) -> None:
        """A histogram of ``bins`` from ``low`` to ``high``.

        Args:
            low: lower edge of the first bin.
            high: upper edge of the last one.
            bins: number of bins.
            share: share of the values below the percentile, 0..1.
            memory: number of values after which the weight of a value is 1/e.
        """
        self.bins = bins
        self._low = low
        self._width = (high - low) / bins
        self._share = share
        self._keep = 1 - 1 / memory

    def prefilled(self, streams: int, value: float, count: float) -> np.ndarray:
        """A histogram ``[streams, bins]`` as if ``value`` had been counted ``count`` times."""
        made = np.zeros((streams, self.bins))
        self.add_weighted(made, np.full(streams, value), np.full(streams, count))
        return made

    def update(self, histogram: np.ndarray, values: np.ndarray, counts: np.ndarray) -> None:
        """One value a stream.

        Args:
            histogram: float64 ``[streams, bins]``, changed in place.
            values: ``[streams]``.
            counts: bool ``[streams]``; where False, the histogram stays as it is.
        """
        histogram *= np.where(counts, self._keep, 1.0)[:, None]
        self.add_weighted(histogram, values, counts.astype(float))

    def add_weighted(self, histogram: np.ndarray, values: np.ndarray, weights: np.ndarray) -> None:
        """Adds ``weights`` ``[streams]`` to the bins of ``values`` ``[streams]``; in place."""
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
