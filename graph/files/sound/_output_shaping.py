"""Brings the output of a pipeline into the form of its file: channels first, then the rate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import soxr

from ...signals import Audio

_PIECE = 1 << 15


class OutputShaper:
    """Mixes or copies channels, and resamples by soxr.

    Args:
        source: type of the samples that come.
        target: type of those that are wanted; its channels are 1, those of ``source``, or copies
            of one.

    Attributes:
        given: samples per channel so far.
    """

    def __init__(self, source: Audio, target: Audio) -> None:
        self.given = 0
        self._source = source
        self._target = target
        self._resampler: soxr.ResampleStream | None = None
        if source.rate != target.rate:
            channels = min(source.channels, target.channels)
            self._resampler = soxr.ResampleStream(
                float(source.rate), float(target.rate), channels, "float32", quality="VHQ"
            )

    def push(self, samples: np.ndarray) -> np.ndarray:
        """Takes float32 ``[channels, samples]``; returns what is ready, which may be empty."""
        return self._shape(samples, last=False)

    def finish(self, total: int) -> Iterator[np.ndarray]:
        """The rest, up to ``total`` samples in all."""
        nothing = np.zeros((self._source.channels, 0), np.float32)
        rest = self._shape(nothing, last=True) if self._resampler is not None else None
        if rest is not None:
            surplus = max(0, self.given - total)
            self.given -= surplus
            yield rest[:, : rest.shape[1] - surplus]
        while self.given < total:
            count = min(_PIECE, total - self.given)
            self.given += count
            yield np.zeros((self._target.channels, count), np.float32)

    def _shape(self, samples: np.ndarray, last: bool) -> np.ndarray:
        if self._target.channels == 1 != self._source.channels:
            samples = samples.mean(0, keepdims=True, dtype=np.float32)
        if self._resampler is not None:
            made = self._resampler.resample_chunk(np.ascontiguousarray(samples.T), last=last)
            samples = made.reshape(-1, samples.shape[0]).T
        if self._source.channels == 1 != self._target.channels:
            samples = np.repeat(samples, self._target.channels, 0)
        self.given += samples.shape[1]
        return samples
