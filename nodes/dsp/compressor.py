"""``dsp.compressor``: reduces the level of loud passages."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Decibels,
    Duration,
    In,
    Live,
    Milliseconds,
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
from voicegraph.nodes.dsp.param_glide import at_rest, glide

_SILENCE = 1e-15
"""Keeps the logarithm finite: power of -150 dB, below any threshold."""
_OVER = 1e-9
"""A reduction below this, in dB, is none: it would decay for ever."""
_LONGEST = 500.0
"""Time constants of release in one piece of a block: e^500 is still a float64."""


@dataclass
class CompressorState(State):
    """What a stream remembers, float64 and ``[streams]`` unless said.

    Attributes:
        power: ``[streams, channels]``, mean square of the RMS detector.
        peak: reduction in dB, held and released.
        reduction: the same after the attack.
        threshold: in dB, in force after the newest sample; so are the next three.
        slope: ``1 - 1 / ratio``.
        knee: in dB.
        makeup: in dB.
    """

    power: torch.Tensor
    peak: torch.Tensor
    reduction: torch.Tensor
    threshold: torch.Tensor
    slope: torch.Tensor
    knee: torch.Tensor
    makeup: torch.Tensor


class CompressorParams(NodeParams):
    """Params of ``dsp.compressor``."""

    threshold: Live[Decibels] = Field(-24.0, ge=-80, le=0)
    """Level above which the gain is reduced."""
    ratio: Live[float] = Field(3.0, ge=1, le=100, allow_inf_nan=False)
    """Rise of the input above the threshold, in dB, over that of the output; 1 changes nothing."""
    knee: Live[Decibels] = Field(6.0, ge=0, le=40)
    """Width of the transition around the threshold; 0 is a corner."""
    attack: Live[Milliseconds] = Field(5.0, ge=0, le=500)
    """Time constant with which the reduction rises, in ms."""
    release: Live[Milliseconds] = Field(120.0, ge=1, le=5000)
    """Time constant with which the reduction falls, in ms."""
    makeup: Live[Decibels] = Field(0.0, ge=-24, le=40)
    """Gain after the compression."""
    detector: Literal["peak", "rms"] = "peak"
    """What is compared with the threshold: `peak`, each sample; `rms`, the mean over `window`."""
    window: Duration = Field(parse_duration("10ms"), ge=Fraction(1, 1000), le=1)
    """Time constant of the mean square of the `rms` detector."""
    lookahead: Duration = Field(parse_duration("0ms"), ge=0, le=Fraction(1, 10))
    """How much earlier the gain follows than the sound; it is latency."""


@register("dsp.compressor")
class Compressor(Node[CompressorParams, CompressorState]):
    """Compressor: audio ``[streams, channels, samples]`` -> the same type.

    All channels share one gain, that of the loudest, which keeps the stereo image. For each sample:

    1. the level in dB: of the sample, or the root of an exponential mean square (``rms``: a full
       sine has -3 dB);
    2. the reduction that ``threshold``, ``ratio`` and ``knee`` ask for at that level;
    3. release: rises at once, decays exponentially with ``release``, but not below step 2;
    4. attack: a low-pass of first order with the time constant ``attack``;
    5. the gain in dB: ``makeup`` less the reduction, applied ``lookahead`` earlier.

    The same in blocks of any size. All levels, ``ratio``, ``attack`` and ``release`` may change
    while it runs; levels and ratio glide as in ``dsp.gain``. The latency is ``lookahead``, 0 by
    default; ``dsp.limiter`` is for peaks that nothing may exceed.

    Source: D. Giannoulis, M. Massberg, J. D. Reiss, "Digital dynamic range compressor design",
    J. Audio Eng. Soc. 60(6), 2012: feed-forward, gain computer (4) with a quadratic knee, decoupled
    detector (16) in the logarithmic domain.
    """

    examples = (
        {"threshold": -30.0, "makeup": 6.0},
        {"threshold": -40.0, "ratio": 8.0, "detector": "rms", "attack": 1.0, "knee": 0.0},
        {"threshold": -30.0, "lookahead": "5ms", "release": 40.0},
    )

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def _ahead(self, params: CompressorParams) -> int:
        return round(params.lookahead * self.input_types["audio"].rate)

    def needs(self, params: CompressorParams, out: Request) -> Requests:
        """The look-ahead beyond the block."""
        rate = self.input_types["audio"].rate
        return {"audio": out.widen(after=self._ahead(params) / rate)}

    def load(self, params: CompressorParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes the constants."""
        from scipy.signal import lfilter

        self._filter = lfilter
        self._rate = float(self.input_types["audio"].rate)
        self._count = self.asked["out"].count
        self._mean = math.exp(-1 / (float(params.window) * self._rate))

    def state(self, params: CompressorParams, streams: int) -> CompressorState:
        """Silence, no reduction; at the params' values, so that nothing glides at first."""

        def held(value: float) -> torch.Tensor:
            return torch.full((streams,), value, dtype=torch.float64)

        power = torch.zeros(streams, self.input_types["audio"].width or 1, dtype=torch.float64)
        wanted = (params.threshold, 1 - 1 / params.ratio, params.knee, params.makeup)
        return CompressorState(power, held(0.0), held(0.0), *(held(value) for value in wanted))

    def process(self, inputs: Tensors, params: CompressorParams, state: CompressorState) -> Tensors:
        """One block: the newest samples decide, those before the look-ahead go out."""
        audio, count = inputs["audio"][:, :, : self._count], self._count
        wanted = self._wanted(inputs["audio"][:, :, -count:].numpy(), params, state)
        resting = at_rest(state.makeup, params.makeup)
        makeup = glide(state.makeup, params.makeup, self._rate, count).numpy()
        reduction, peak = state.reduction.numpy(), state.peak.numpy()
        if not (wanted.any() or peak.any() or reduction.any()):
            if resting and params.makeup == 0.0:
                return {"out": audio}
            gain = makeup
        else:
            held = _released(wanted, peak, params.release * self._rate / 1000)
            gain = makeup - self._attacked(held, reduction, params.attack * self._rate / 1000)
        made = audio.numpy() * (10.0 ** (gain / 20.0))[:, None]
        return {"out": torch.from_numpy(made.astype(np.float32))}

    def _wanted(
        self, audio: np.ndarray, params: CompressorParams, state: CompressorState
    ) -> np.ndarray:
        """The reduction in dB that the level of each sample asks for ``[streams, samples]``."""
        power = np.square(audio, dtype=np.float64)
        if params.detector == "rms":
            begin = self._mean * state.power.numpy()[..., None]
            power, end = self._filter([1 - self._mean], [1, -self._mean], power, zi=begin)
            state.power.copy_(torch.from_numpy(end[..., 0] / self._mean))
            state.power[state.power < _SILENCE] = 0.0
        level = 10.0 * np.log10(np.maximum(power.max(1), _SILENCE))
        count = audio.shape[2]
        threshold, slope, knee = (
            glide(values, target, self._rate, count).numpy()
            for values, target in (
                (state.threshold, params.threshold),
                (state.slope, 1 - 1 / params.ratio),
                (state.knee, params.knee),
            )
        )
        return slope * _above(level - threshold, knee)

    def _attacked(self, held: np.ndarray, reduction: np.ndarray, attack: float) -> np.ndarray:
        """The reduction after the attack ``[streams, samples]``; changes ``reduction``."""
        keep = math.exp(-1 / attack) if attack else 0.0
        begin = keep * reduction[:, None]
        made, _ = self._filter([1 - keep], [1, -keep], held, zi=begin)
        reduction[:] = np.where(made[:, -1] > _OVER, made[:, -1], 0.0)
        return made


def _above(over: np.ndarray, knee: np.ndarray) -> np.ndarray:
    """How far a level counts as above the threshold, in dB: 0 below the knee, ``over`` above it.

    Within the knee it is a parabola that meets both.
    """
    inside = np.maximum(over + knee / 2, 0.0)
    bend = np.square(inside) / np.maximum(2 * knee, _OVER)
    return np.where(2 * np.abs(over) < knee, bend, np.maximum(over, 0.0))


def _released(wanted: np.ndarray, peak: np.ndarray, release: float) -> np.ndarray:
    """``h[n] = max(wanted[n], h[n-1] exp(-1 / release))``; changes ``peak``, which is ``h[-1]``.

    Args:
        wanted: 0 or above, ``[streams, n]``.
        peak: ``[streams]``.
        release: time constant in samples.

    Returns:
        ``[streams, n]``. Times ``exp(n / release)`` it is a running maximum, computed at once.
    """
    longest = max(int(_LONGEST * release), 1)
    parts = []
    for begin in range(0, wanted.shape[1], longest):
        part = wanted[:, begin : begin + longest]
        growth = np.exp(np.arange(part.shape[1] + 1) / release)
        joined = np.concatenate((peak[:, None], part), 1) * growth
        held = np.maximum.accumulate(joined, 1)[:, 1:] / growth[1:]
        peak[:] = np.where(held[:, -1] > _OVER, held[:, -1], 0.0)
        parts.append(held)
    return parts[0] if len(parts) == 1 else np.concatenate(parts, 1)
