"""``dsp.sola``: joins overlapping windows of audio by synchronised overlap-add."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Duration,
    Features,
    In,
    Node,
    NodeParams,
    Out,
    Request,
    Requests,
    SignalType,
    State,
    Tensors,
    format_rate,
    parse_duration,
    register,
)
from voicegraph.nodes.dsp._phase_vocoder_fade import PhaseVocoderFade

_STEPS_PER_SECOND = 100
_MAX_BUFFER_STEPS = 4
_ENERGY_FLOOR = 1e-8
"""Avoids division by zero in silence; the value decides the offset near silence."""
_TIE = 1e-7
"""Scores within this share of the best count as equal: it is the rounding of float32 audio."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sample counts; each a whole number of 10 ms steps."""

    crossfade: int
    buffer: int
    search: int


@dataclass
class SolaState(State):
    """``tail`` ``[streams, channels, buffer]`` float32: fades out under the next window."""

    tail: torch.Tensor


class SolaParams(NodeParams):
    """Params of ``dsp.sola``."""

    crossfade: Duration = Field(parse_duration("50ms"), ge=Fraction(1, 100), le=1)
    """Margin at the end of each window; up to 40 ms of it are crossfaded."""
    search: Duration = Field(parse_duration("10ms"), ge=0, le=Fraction(1, 5))
    """Search range for the offset; 0 never shifts a window."""
    fade: Literal["sin2", "phase_vocoder"] = "sin2"
    """`sin2` adds both windows; `phase_vocoder` lets the phases of all frequencies glide from one
    window to the next, which keeps the level where they differ."""


@register("dsp.sola")
class Sola(Node[SolaParams, SolaState]):
    """Synchronised overlap-add: aligns each window with the one before, and crossfades.

    audio ``[streams, channels, samples]``, a window or a stream -> out, the same type, a stream;
    offset ``[streams, 1, 1]``, the chosen offset of this tick in samples.

    With ``x`` the window and ``tail`` the ``buffer`` samples kept from the one before, the offset
    is the first k of 0..search that maximises
    ``sum(x[k + i] tail[i]) / sqrt(sum(x[k + i]^2) + 1e-8)``, sums over the buffer and all channels.
    From there the window fades in with sin^2 while the tail fades out with 1 - sin^2. One block is
    the output, and the ``buffer`` samples after it are the new tail. ``fade: phase_vocoder`` puts
    sinusoids with gliding phases in the place of the products of both (``_phase_vocoder_fade.py``);
    docs/sound.md has what it brings.

    ``crossfade`` and ``search`` are rounded to whole steps of 10 ms, halves to the even step; the
    buffer is ``crossfade``, at most 40 ms. Of the window it uses block + search + buffer (the
    request's core) and asks for context up to block + search + crossfade, so it declares a latency
    of crossfade + search. The real latency is smaller by the offset.

    Source: S. Roucos and A. Wilgus, "High quality time-scale modification for speech", ICASSP 1985;
    sizes, normalisation and fades as in RVC's real-time path, which it matches number for number.
    """

    chunking = "windowed"
    devices = ("cpu", "cuda")
    needs_float64 = True
    examples = ({}, {"fade": "phase_vocoder"})

    audio = In(Audio, window=True)
    out = Out(Audio, like="audio")
    offset = Out(Features, dim=1, doc="the chosen offset in samples, one a block")

    def infer(self, params: SolaParams, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """The input's type, and one offset a block.

        Raises:
            ValueError: if the rate is below 100 Hz.
        """
        rate = inputs["audio"].rate
        if rate < _STEPS_PER_SECOND:
            raise ValueError(f"10 ms of audio at {format_rate(rate)} hold no whole sample")
        return {"out": inputs["audio"], "offset": Features(1 / self.block, 1)}

    def needs(self, params: SolaParams, out: Request) -> Requests:
        """The block, extended by the search range and by the next tail."""
        rate, sizes = self.input_types["audio"].rate, self._sizes(params)
        context = (sizes.search + sizes.crossfade) / rate
        used = (sizes.search + sizes.buffer) / rate
        return {"audio": Request(out.interval.widen(after=context), out.interval.widen(after=used))}

    def _sizes(self, params: SolaParams) -> Sizes:
        step = self.input_types["audio"].rate // _STEPS_PER_SECOND
        crossfade = round(params.crossfade * _STEPS_PER_SECOND)
        search = round(params.search * _STEPS_PER_SECOND)
        return Sizes(crossfade * step, min(crossfade, _MAX_BUFFER_STEPS) * step, search * step)

    def load(self, params: SolaParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes the fades and the sample indices."""
        given = self.given["audio"]
        self._size = self._sizes(params)
        self._block = self.asked["out"].count
        self._start = given.index(given.core.start)
        ramp = torch.linspace(0.0, 1.0, self._size.buffer, dtype=dtype, device=device)
        self._fade_in = torch.sin(0.5 * math.pi * ramp) ** 2
        self._fade_out = 1 - self._fade_in
        vocoder = params.fade == "phase_vocoder"
        self._vocoder = PhaseVocoderFade(self._fade_in) if vocoder else None
        self._steps = torch.arange(self._block + self._size.buffer, device=device)

    def state(self, params: SolaParams, streams: int) -> SolaState:
        """Starts with a silent tail: the first window fades in."""
        shape = self.input_types["audio"].shape(streams, self._sizes(params).buffer)
        return SolaState(torch.zeros(shape, device=self.device))

    def process(self, inputs: Tensors, params: SolaParams, state: SolaState) -> Tensors:
        """One window to one block. The offset stays on the device, without synchronisation."""
        buffer = self._size.buffer
        window = inputs["audio"][:, :, self._start :]
        offset = best_offset(window[:, :, : buffer + self._size.search], state.tail)
        index = (offset[:, None, None] + self._steps).expand(-1, window.shape[1], -1)
        cut = window.gather(2, index)
        head = cut[:, :, :buffer]
        if self._vocoder is None:
            head.mul_(self._fade_in).add_(state.tail * self._fade_out)
        else:
            head.copy_(self._vocoder(state.tail, head))
        state.tail.copy_(cut[:, :, self._block :])
        return {"out": cut[:, :, : self._block], "offset": offset[:, None, None].to(cut.dtype)}


def best_offset(head: torch.Tensor, tail: torch.Tensor) -> torch.Tensor:
    """The offset in ``head`` with the highest normalised correlation with ``tail``.

    The correlation is computed by an FFT in float64: exact enough to find the same offset as a
    direct sum, one call for all streams, and faster than a convolution of this length.

    Args:
        head: ``[streams, channels, buffer + search]``.
        tail: ``[streams, channels, buffer]``.

    Returns:
        int64 ``[streams]``, 0..search; the first of several maxima, so 0 in silence.
    """
    size, buffer = head.shape[2], tail.shape[2]
    wide = head.double()
    spectrum = torch.fft.rfft(wide) * torch.fft.rfft(tail.double(), size).conj()
    # Shifts up to `search` do not wrap around in `buffer + search` samples.
    match = torch.fft.irfft(spectrum.sum(1), size)[:, : size - buffer + 1]
    total = torch.cumsum(wide.square().sum(1), 1)
    energy = total[:, buffer - 1 :].clone()
    energy[:, 1:] -= total[:, : size - buffer]
    # In silence the true sum is 0, but the FFT leaves rounding errors.
    score = torch.where(energy > 0, match, 0.0) / torch.sqrt(energy.clamp_min(0) + _ENERGY_FLOOR)
    best = score.amax(1, keepdim=True)
    return (score >= best - _TIE * best.abs()).byte().argmax(1)
