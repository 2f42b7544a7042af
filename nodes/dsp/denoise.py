"""``dsp.denoise``: attenuates steady noise by spectral gating."""

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
from voicegraph.nodes.dsp._level_grid import Grid, step_overhang
from voicegraph.nodes.dsp._noise_floor import NoiseFloor

_BAND_HZ = 100.0
"""Ratios are averaged over this width on both sides of a bin, since a single bin varies too
much."""
_RISE_S = 0.025
"""Time constant of the average of the ratios over frames, which opens the gate."""
_FALL_S = 0.06
"""Time constant of closing, long enough that consonants after a vowel are not cut off."""


@dataclass
class DenoiseState(State):
    """What a stream remembers.

    Attributes:
        position: int64 ``[streams]``, index of the next output sample in the stream.
        tail: ``[streams, channels, frame]``, overlap-add contributions of earlier frames to later
            samples.
        noise: ``[streams, bins]``, power of the noise.
        presence: ``[streams, bins]``, smoothed probability that there is more than noise.
        ratio: ``[streams, bins]``, smoothed power over noise.
        mask: ``[streams, bins]``, how far each bin is open, 0..1.
    """

    position: torch.Tensor
    tail: torch.Tensor
    noise: torch.Tensor
    presence: torch.Tensor
    ratio: torch.Tensor
    mask: torch.Tensor


class DenoiseParams(NodeParams):
    """Params of ``dsp.denoise``."""

    reduction: Live[Decibels] = Field(12.0, ge=0, le=60)
    """Maximum attenuation of noise. With more than 20 dB the gate becomes audible."""
    threshold: Live[Decibels] = Field(6.0, ge=0, le=30)
    """Level above the noise at which the gate of a bin is half open."""
    settle: Duration = Field(parse_duration("5s"), ge=Fraction(1, 4), le=60)
    """How long a steady tone may last, such as a held note, before it counts as noise."""
    frame: Duration = Field(parse_duration("40ms"), ge=Fraction(1, 100), le=Fraction(1, 5))
    """Length of the analysis frames: long ones resolve tones, short ones keep attacks."""
    overlap: Literal[2, 4, 8] = 4
    """Number of frames that overlap at each sample."""


@register("dsp.denoise")
class Denoise(Node[DenoiseParams, DenoiseState]):
    """Attenuates frequencies that hold nothing but steady noise.

    audio ``[streams, channels, samples]`` -> out, same type. In short overlapping frames the power
    of each bin is divided by a running estimate of the noise and averaged over neighbours in time
    and frequency. Bins below ``threshold`` are attenuated by up to ``reduction``, equally in all
    channels. The frame grid begins with the stream, so blocks of any size give the same result. At
    0 dB of reduction the output equals the input.

    The latency is one frame minus the greatest common divisor of block and hop: 30 ms by default in
    blocks of 10 ms, 39 ms in blocks of 7 ms.

    Source: spectral gating with a smoothed mask as in T. Sainburg, M. Thielk and T. Q. Gentner,
    "Finding, visualizing, and quantifying latent structure across diverse animal vocal
    repertoires", PLoS Comput. Biol. 16(10), 2020; for the noise see
    :class:`~voicegraph.nodes.dsp._noise_floor.NoiseFloor`.
    """

    examples = ({}, {"frame": "32ms", "overlap": 2, "reduction": 20.0, "settle": "250ms"})

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def needs(self, params: DenoiseParams, out: Request) -> Requests:
        """The span, extended to the end of the last frame that begins in it."""
        hop, rate = self._hop(params), self.input_types["audio"].rate
        overlapping = (params.overlap - 1) * hop / rate
        return {
            "audio": out.widen(after=overlapping + step_overhang(self.block, out.end, hop / rate))
        }

    def _hop(self, params: DenoiseParams) -> int:
        """Samples from one frame to the next."""
        return max(round(params.frame * self.input_types["audio"].rate / params.overlap), 1)

    def load(self, params: DenoiseParams, device: torch.device, dtype: torch.dtype) -> None:
        """Makes windows and constants."""
        from scipy.fft import irfft, rfft

        self._rfft, self._irfft = rfft, irfft
        asked = self.asked["out"]
        self._step = self._hop(params)
        self._size = self._step * params.overlap
        self._count = asked.count
        self._start = self.given["audio"].index(asked.interval.start)
        self._grid = Grid(self._step, 1)
        # The square root of a Hann window for analysis and for synthesis: the overlap is constant.
        phase = 2 * np.pi * np.arange(self._size) / self._size
        self._window = np.sqrt(0.5 - 0.5 * np.cos(phase)).astype(np.float32)
        self._closing = self._window * np.float32(2 / params.overlap)
        hop = self._step / float(asked.rate)
        self._floor = NoiseFloor(hop, float(params.settle))
        self._unit = np.float32(2 / (self._size * asked.shape(1)[1]))
        neighbours = round(_BAND_HZ * self._size / float(asked.rate))
        self._reach = min(neighbours, self._size // 4)
        self._rise = np.float32(1 - math.exp(-hop / _RISE_S))
        self._fall = np.float32(math.exp(-hop / _FALL_S))

    def state(self, params: DenoiseParams, streams: int) -> DenoiseState:
        """Starts with a noise estimate of zero: everything passes at first."""
        first = int(self.asked["out"].interval.end * self.asked["out"].rate)
        bins = (streams, self._size // 2 + 1)
        return DenoiseState(
            torch.full((streams,), first),
            torch.zeros(self.input_types["audio"].shape(streams, self._size)),
            torch.full(bins, self._floor.lowest),
            torch.ones(bins),
            torch.zeros(bins),
            torch.zeros(bins),
        )

    def process(self, inputs: Tensors, params: DenoiseParams, state: DenoiseState) -> Tensors:
        """One block: the frames that begin in it, plus the overlap of earlier ones."""
        audio = inputs["audio"].numpy()
        held = {name: tensor.numpy() for name, tensor in state.tensors().items()}
        out = self._grid.by_phase(
            state.position,
            lambda phase, rows: self._block(
                audio[rows], -phase % self._step, params, {k: v[rows] for k, v in held.items()}
            ),
        )
        state.position += self._count
        return {"out": out}

    def _block(
        self, audio: np.ndarray, first: int, params: DenoiseParams, held: dict[str, np.ndarray]
    ) -> torch.Tensor:
        """``first`` is the sample of the block at which the first frame begins."""
        tail = held["tail"]
        total = np.zeros((*tail.shape[:2], self._count + self._size), np.float32)
        total[:, :, : self._size] = tail
        for begin in range(first, self._count, self._step):
            at = self._start + begin
            framed = audio[:, :, at : at + self._size] * self._window
            spectrum: np.ndarray = np.asarray(self._rfft(framed))
            spectrum *= self._gain(spectrum, params, held)[:, None]
            frame = np.asarray(self._irfft(spectrum, self._size, overwrite_x=True))
            total[:, :, begin : begin + self._size] += frame * self._closing
        tail[:] = total[:, :, self._count :]
        return torch.from_numpy(total[:, :, : self._count])

    def _gain(
        self, spectrum: np.ndarray, params: DenoiseParams, held: dict[str, np.ndarray]
    ) -> np.ndarray:
        """Gain of each bin ``[streams, bins]`` in one frame ``[streams, channels, bins]``."""
        # White noise of variance v has power v in each bin.
        power = np.square(np.abs(spectrum)).sum(1) * self._unit
        ratio, mask = held["ratio"], held["mask"]
        over_noise = self._floor.update(power, held["noise"], held["presence"])
        ratio += self._rise * (self._band(over_noise) - ratio)
        # The fourth power goes from 10 to 90 % open within 5 dB.
        over = np.square(np.square(ratio * np.float32(10 ** (-params.threshold / 10))))
        np.maximum(over / (1 + over), mask * self._fall, out=mask)
        return np.exp((mask - 1) * np.float32(params.reduction * math.log(10) / 20))

    def _band(self, ratio: np.ndarray) -> np.ndarray:
        """Mean over the neighbours of each bin; bins at the ends take the nearest complete mean."""
        reach, bins = self._reach, ratio.shape[1]
        total = np.zeros((ratio.shape[0], bins + 1))  # a running sum loses digits in float32
        np.cumsum(ratio, axis=1, out=total[:, 1:])
        mean = np.empty_like(ratio)
        inner = mean[:, reach : bins - reach]
        inner[:] = total[:, 2 * reach + 1 :] - total[:, : bins - 2 * reach]
        inner /= 2 * reach + 1
        mean[:, :reach], mean[:, bins - reach :] = inner[:, :1], inner[:, -1:]
        return mean
