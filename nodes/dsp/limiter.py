"""``dsp.limiter``: a look-ahead peak limiter."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Decibels,
    Duration,
    In,
    Node,
    NodeParams,
    Out,
    Request,
    Requests,
    State,
    Tensors,
    parse_duration,
    register,
)
from voicegraph.nodes.dsp.param_glide import db_to_linear

_RELEASE_DB = 10.0
"""``release`` is the time in which the gain recovers by this much."""
_SILENCE = 1e-30
"""Keeps the logarithm finite; far below any ceiling."""


@dataclass
class LimiterState(State):
    """``held`` ``[streams, max(lookahead, 1)]`` float64: newest held gains in dB, 0 or below."""

    held: torch.Tensor


def sliding_minimum(values: np.ndarray, width: int) -> np.ndarray:
    """Minimum over a sliding window: ``[..., n]`` -> ``[..., n - width + 1]``.

    Computes minima over 1, 2, 4, ... values, then over two overlapping windows: log2(width) passes.
    """
    span = 1
    while 2 * span <= width:
        values = np.minimum(values[..., :-span], values[..., span:])
        span *= 2
    rest = width - span
    return np.minimum(values[..., :-rest], values[..., rest:]) if rest else values


def release_from(wanted: np.ndarray, last: np.ndarray, step: float) -> np.ndarray:
    """Falls at once and rises by at most ``step``: ``h[n] = min(wanted[n], h[n-1] + step)``.

    Args:
        wanted: ``[streams, n]``.
        last: ``h[-1]``, ``[streams]``.
        step: above 0.

    Returns:
        ``[streams, n]``. After subtracting ``step * n`` it is a running minimum, computed at once.
    """
    slope = step * np.arange(wanted.shape[1] + 1)
    flat = np.concatenate((last[:, None], wanted), 1) - slope
    return np.minimum(np.minimum.accumulate(flat, 1) + slope, 0.0)[:, 1:]


class LimiterParams(NodeParams):
    """Params of ``dsp.limiter``."""

    ceiling: Decibels = Field(-1.0, ge=-60, le=0)
    """Highest sample peak in dB below full scale."""
    lookahead: Duration = Field(parse_duration("5ms"), ge=0, le=Fraction(1, 10))
    """Look-ahead, rounded to the nearest sample. It is the latency and the length of the ramp
    down. With 0 the gain drops from one sample to the next, which is audible."""
    release: Duration = Field(parse_duration("100ms"), ge=Fraction(1, 1000), le=10)
    """Time in which the gain recovers by 10 dB after a peak."""


@register("dsp.limiter")
class Limiter(Node[LimiterParams, LimiterState]):
    """Look-ahead peak limiter: audio ``[streams, channels, samples]`` -> the same type.

    No output sample exceeds ``ceiling``; without a peak nearby the gain is exactly 1. All channels
    share one gain, which keeps the stereo image. For each sample, in dB:

    1. the gain that brings its peak over the channels to the ceiling, 0 dB at most;
    2. the minimum of that over the look-ahead, so that the gain is reduced before the peak;
    3. the release: falls at once, rises by at most 10 dB in ``release``;
    4. the average over the look-ahead, which turns a step down into a ramp of that length.

    Step 2 has reduced all values that step 4 averages to what the peak needs, so the average is low
    enough, too. The output is delayed by the look-ahead, which the plan declares as latency.

    Source: D. Giannoulis, M. Massberg, J. D. Reiss, "Digital dynamic range compressor design",
    J. Audio Eng. Soc. 60(6), 2012 (gain computed in dB, feed-forward, look-ahead by delay).
    """

    examples = ({"ceiling": -12.0}, {"ceiling": -20.0, "lookahead": "0ms"})

    audio = In(Audio)
    out = Out(Audio, like="audio")

    _width: int = 1
    _count: int = 0
    _step: float = 0.0
    _limit: np.float32 = np.float32(1)

    def _ahead(self, params: LimiterParams) -> int:
        return round(params.lookahead * self.input_types["audio"].rate)

    def needs(self, params: LimiterParams, out: Request) -> Requests:
        """The look-ahead beyond the block."""
        rate = self.input_types["audio"].rate
        return {"audio": out.widen(after=self._ahead(params) / rate)}

    def state(self, params: LimiterParams, streams: int) -> LimiterState:
        """At rest: 0 dB."""
        shape = (streams, max(self._ahead(params), 1))
        return LimiterState(torch.zeros(shape, dtype=torch.float64))

    def load(self, params: LimiterParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes the constants."""
        rate = self.input_types["audio"].rate
        self._width = self._ahead(params) + 1
        self._count = self.asked["out"].count
        self._step = _RELEASE_DB / float(params.release * rate)
        self._limit = _float32_below(db_to_linear(params.ceiling))

    def process(self, inputs: Tensors, params: LimiterParams, state: LimiterState) -> Tensors:
        """One block."""
        audio, before = inputs["audio"].numpy(), state.held.numpy()
        peaks = np.abs(audio).max(1).astype(np.float64)
        if peaks.max() <= self._limit and not before.any():
            return {"out": inputs["audio"][:, :, : self._count]}
        wanted = np.minimum(params.ceiling - 20.0 * np.log10(np.maximum(peaks, _SILENCE)), 0.0)
        wanted = sliding_minimum(wanted, self._width)
        held = release_from(wanted, before[:, -1], self._step)
        joined = np.concatenate((before, held), 1)
        gain = 10.0 ** (_trailing_mean(joined, self._width)[:, -self._count :] / 20.0)
        state.held.copy_(torch.from_numpy(joined[:, -before.shape[1] :]))
        made = (audio[:, :, : self._count] * gain[:, None]).astype(np.float32)
        # This clips rounding errors only: the gain has brought every peak to the ceiling.
        return {"out": torch.from_numpy(np.clip(made, -self._limit, self._limit))}


def _float32_below(value: float) -> np.float32:
    """The greatest float32 that is not above ``value``."""
    near = np.float32(value)
    return near if float(near) <= value else np.nextafter(near, np.float32(0))


def _trailing_mean(values: np.ndarray, width: int) -> np.ndarray:
    """Moving average: ``[..., n]`` -> ``[..., n - width + 1]``."""
    sums = np.cumsum(values, -1)
    sums = np.concatenate((np.zeros_like(sums[..., :1]), sums), -1)
    return (sums[..., width:] - sums[..., :-width]) / width
