"""``dsp.resample``: each block from a span of input that reaches beyond it on both sides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import soxr

from .ports import NodeSpec

_REACH = 128
"""Half the length of soxr's filter, in samples of the lower rate."""


class Resample:
    """The node on one stream."""

    def __init__(self, spec: NodeSpec) -> None:
        given, asked = spec.given["audio"], spec.asked["out"]
        source, target = given.rate, asked.rate
        self._begin, self._count = given.index(asked.interval.start), asked.count
        common = Fraction(
            math.gcd(source.numerator * target.denominator, target.numerator * source.denominator),
            source.denominator * target.denominator,
        )
        self._ratio = (int(source / common), int(target / common))
        self._step = int(spec.block * source)
        self._given_start = int(given.interval.start * source)
        self._asked_start = int(asked.interval.start * target)
        begin = asked.interval.start - _REACH / min(source, target)
        self._span_start = int(Fraction(math.floor(begin * common)) / common * source)
        self._position = 0

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One block, ``[1, channels, samples]``."""
        audio = inputs["audio"]
        source, target = self._ratio
        if source == target:
            return {"out": audio[:, :, self._begin : self._begin + self._count]}
        self._position += self._step
        begin = max(self._span_start, -self._position)
        span = np.ascontiguousarray(audio[0, :, begin - self._given_start :].T)
        made = soxr.resample(span, source, target, "VHQ")
        first = self._asked_start - begin * target // source
        block = made[max(first, 0) : max(first + self._count, 0)]
        out = np.zeros((1, audio.shape[1], self._count), np.float32)
        out[0, :, self._count - len(block) :] = block.T  # silence before the first sample
        return {"out": out}
