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
        self.count(histogram, self.places(values), counts)

    def places(self, values: np.ndarray) -> np.ndarray:
        """The bins of values, of any shape."""
        found = ((values - self._low) / self._width).astype(int)
        return np.minimum(np.maximum(found, 0), self.bins - 1)

    def count(self, histogram: np.ndarray, places: np.ndarray, counts: np.ndarray) -> None:
        """As :meth:`update`, with the bins of the values: ``places`` ``[streams]``."""
        if counts.all():
            histogram *= self._keep
            histogram[np.arange(len(histogram)), places] += 1.0
        elif counts.any():
            histogram *= np.where(counts, self._keep, 1.0)[:, None]
            histogram[np.arange(len(histogram)), places] += counts

    def add_weighted(self, histogram: np.ndarray, values: np.ndarray, weights: np.ndarray) -> None:
        """Adds ``weights`` ``[streams]`` to the bins of ``values`` ``[streams]``; in place."""
        histogram[np.arange(len(histogram)), self.places(values)] += weights

    def read(self, histogram: np.ndarray) -> np.ndarray:
        """The percentile ``[streams]``; ``low`` where nothing has been counted."""
        below = np.cumsum(histogram, 1)
        wanted = self._share * below[:, -1]
        place = np.minimum((below < wanted[:, None]).sum(1), self.bins - 1)
        rows = np.arange(len(histogram))
        held = histogram[rows, place]
        inside = wanted - (below[rows, place] - held)
        known = held > 0
        part = np.where(known, inside / np.where(known, held, 1.0), 0.0)
        return self._low + self._width * (place + np.minimum(np.maximum(part, 0.0), 1.0))
