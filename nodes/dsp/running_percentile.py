"""A running percentile: a histogram with exponential forgetting."""

from __future__ import annotations

import numpy as np

_LEAST = np.finfo(np.float64).tiny


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

    def places(self, values: np.ndarray) -> np.ndarray:
        """The bins of values, of any shape."""
        found = ((values - self._low) / self._width).astype(int)
        return np.minimum(np.maximum(found, 0), self.bins - 1)

    def count(self, histogram: np.ndarray, places: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """The histograms after each of some frames, float64 ``[frames, streams, bins]``.

        Args:
            histogram: that before the first frame, float64 ``[streams, bins]``.
            places: the bins of the values ``[streams, frames]``, one frame or more.
            counts: bool ``[streams, frames]``; where False, the histogram stays as it is.
        """
        made = np.empty((places.shape[1], *histogram.shape))
        keep = None if counts.all() else np.where(counts, self._keep, 1.0)[..., None]
        at, counted = places.T.tolist(), counts.T.tolist()
        for k in range(len(made)):
            share = self._keep if keep is None else keep[:, k]
            histogram = np.multiply(histogram, share, out=made[k])
            # One by one: an index of several costs as much as dozens of these.
            for row, counts_here in enumerate(counted[k]):
                if counts_here:
                    histogram[row, at[k][row]] += 1.0
        return made

    def add_weighted(self, histogram: np.ndarray, values: np.ndarray, weights: np.ndarray) -> None:
        """Adds ``weights`` ``[streams]`` to the bins of ``values`` ``[streams]``; in place."""
        histogram[np.arange(len(histogram)), self.places(values)] += weights

    def read(self, histograms: np.ndarray) -> np.ndarray:
        """The percentiles: ``[..., bins]`` -> ``[...]``; ``low`` where nothing has been counted."""
        flat = histograms.reshape(-1, self.bins)
        below = np.cumsum(flat, 1)
        wanted = self._share * below[:, -1]
        place = np.minimum((below < wanted[:, None]).sum(1), self.bins - 1)
        rows = np.arange(len(flat))
        held = flat[rows, place]
        inside = wanted - (below[rows, place] - held)
        part = inside / np.maximum(held, _LEAST)  # 0 where nothing has been counted
        found = self._low + self._width * (place + np.minimum(np.maximum(part, 0.0), 1.0))
        return found.reshape(histograms.shape[:-1])
