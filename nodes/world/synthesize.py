"""``world.synthesize``: speech from pitch, spectral envelope and aperiodicity by WORLD."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from pydantic import Field, field_validator

from voicegraph.graph import (
    Audio,
    Duration,
    Features,
    Hertz,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    Pitch,
    Ports,
    Rate,
    Request,
    Requests,
    Semitones,
    SignalType,
    State,
    Tensors,
    format_rate,
    register,
)
from voicegraph.nodes.world import world_library
from voicegraph.nodes.world._pulse_positions import advance, lead_f0

_LOUDEST = 40.0
"""Upper limit of the log power: far above any sound, far below overflow."""


@dataclass
class SynthesizeState(State):
    """``phase`` ``[streams]`` float64: periods, modulo 1, at the start of the next window."""

    phase: torch.Tensor


class SynthesizeParams(NodeParams):
    """Params of ``world.synthesize``."""

    rate: Rate = Field(examples=[48000])
    """Sample rate of the output in Hz: that of the analysed audio."""
    floor: Hertz = Field(71.0, ge=40, le=200)
    """Determines the FFT size; use the same value as in ``world.analyze``."""
    formant: Live[Semitones] = Field(0.0, ge=-24, le=24)
    """Formant shift in semitones; above 0 the speaker sounds smaller."""
    extra: Duration = Field(Fraction(50, 1000), ge=Fraction(30, 1000), le=2)
    """Time synthesised before the requested span, so that its first pulses are complete."""

    @field_validator("rate")
    @classmethod
    def _whole(cls, value: Fraction) -> Fraction:
        if value.denominator > 1:
            raise ValueError(f"WORLD makes audio at whole rates, not at {format_rate(value)}")
        return value


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Sizes at every tick.

    Attributes:
        rate: of the audio, in Hz.
        hop: samples from frame to frame.
        block: samples in a block.
        first: the first sample of the output in what WORLD makes.
        period_ms: time from frame to frame.
        begins: index of the first frame that all inputs have, by input.
    """

    rate: int
    hop: float
    block: int
    first: int
    period_ms: float
    begins: dict[str, int]


@register("world.synthesize")
class Synthesize(Node[SynthesizeParams, SynthesizeState]):
    """Speech from WORLD's parameters.

    pitch in Hz ``[streams, frames]``, 0 where unvoiced, and features ``[streams, frames, bins]``
    ``envelope`` (natural logarithm of the power) and ``aperiodicity`` (0..1), as ``world.analyze``
    gives them -> audio ``[streams, 1, samples]`` at ``rate``, a window, to be joined by
    ``dsp.sola``.

    Every pitch period is a minimum-phase pulse plus noise. Overlapping windows have their pulses at
    the same positions, as far as their pitch agrees, so crossfades leave no trace. ``formant``
    stretches the envelope along frequency by 2^(semitones / 12): bin k takes the value at
    k / factor, linearly interpolated; beyond the last bin its value is held. The pitch does not
    change: transpose it before. WORLD treats F0 below rate / FFT size + 1 Hz (24 Hz at 48 kHz) as
    unvoiced.

    Source: M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis
    system for real-time applications", IEICE Trans. Inf. & Syst. E99-D(7), 2016.
    """

    chunking = "windowed"
    releases_gil = True
    examples = ({"rate": 8000}, {"rate": 16000, "formant": 3.0, "extra": "30ms"})

    pitch = In(Pitch, doc="F0 in Hz, 0 where unvoiced")
    envelope = In(Features, doc="natural logarithm of the power spectrum")
    aperiodicity = In(Features, doc="share of noise in the amplitude, 0..1")
    audio = Out(Audio, channels=1, window=True)

    def ports(self, params: SynthesizeParams) -> Ports:
        """Rate and bins come from the params."""
        own, bins = type(self).declared, world_library.fft_size(params.rate, params.floor) // 2 + 1
        return Ports(
            {
                "pitch": own.inputs["pitch"],
                "envelope": replace(own.inputs["envelope"], dim=bins),
                "aperiodicity": replace(own.inputs["aperiodicity"], dim=bins),
            },
            {"audio": replace(own.outputs["audio"], rate=params.rate)},
        )

    def infer(
        self, params: SynthesizeParams, inputs: Mapping[str, SignalType]
    ) -> dict[str, SignalType]:
        """One channel at ``rate``.

        Raises:
            ValueError: if the frames do not come at one rate.
        """
        rates = {name: found.rate for name, found in inputs.items()}
        if len(set(rates.values())) > 1:
            listed = ", ".join(f"{name} at {format_rate(rate)}" for name, rate in rates.items())
            raise ValueError(f"all inputs must come at one rate, found {listed}")
        return {"audio": Audio(params.rate, 1)}

    def needs(self, params: SynthesizeParams, out: Request) -> Requests:
        """The same span of frames, with ``extra`` before it."""
        return dict.fromkeys(self.input_types, out.widen(before=params.extra))

    def prepare(self, params: SynthesizeParams) -> None:
        """Computes sizes in samples and frames."""
        rate, period = int(params.rate), 1 / self.given["pitch"].rate
        start = max(spec.interval.start for spec in self.given.values())
        self._sizes = _Sizes(
            rate=rate,
            hop=float(period * rate),
            block=int(self.block * rate),
            first=math.floor((self.asked["audio"].interval.start - start + period) * rate),
            period_ms=float(1000 * period),
            begins={port: spec.index(start) for port, spec in self.given.items()},
        )

    def state(self, params: SynthesizeParams, streams: int) -> SynthesizeState:
        """Starts at phase 0."""
        return SynthesizeState(torch.zeros(streams, dtype=torch.float64))

    def process(self, inputs: Tensors, params: SynthesizeParams, state: SynthesizeState) -> Tensors:
        """One tick: the whole window of each stream."""
        asked, sizes = self.asked["audio"], self._sizes
        rate, hop, first = sizes.rate, sizes.hop, sizes.first
        frames = self._common_span(inputs)
        envelope = stretch(frames["envelope"], 2.0 ** (params.formant / 12.0))
        power = envelope.clamp_max(_LOUDEST).exp().numpy()
        noise = frames["aperiodicity"].clamp(0.0, 1.0).numpy()
        pitch = frames["pitch"].numpy()
        pitch = np.where(pitch < rate / (2 * power.shape[2] - 2) + 1.0, 0.0, pitch)
        made = np.zeros(asked.shape(len(pitch)), np.float32)
        for row, (f0, phase) in enumerate(zip(pitch, state.phase.tolist(), strict=True)):
            audio = world_library.synthesize(
                np.concatenate(([lead_f0(f0[0], phase, hop, rate)], f0)),
                np.concatenate((power[row, :1], power[row])),
                np.concatenate((noise[row, :1], noise[row])),
                rate,
                sizes.period_ms,
            )[first : first + asked.count]
            made[row, 0, : len(audio)] = audio
            state.phase[row] = advance(phase, f0, hop, sizes.block, rate)
        return {"audio": torch.from_numpy(made)}

    def _common_span(self, inputs: Tensors) -> dict[str, torch.Tensor]:
        """The frames of all inputs in the span that all of them cover."""
        begins = self._sizes.begins
        cut = {name: values[:, begins[name] :].double() for name, values in inputs.items()}
        count = min(values.shape[1] for values in cut.values())
        return {name: values[:, :count].contiguous() for name, values in cut.items()}


def stretch(envelope: torch.Tensor, factor: float) -> torch.Tensor:
    """Moves the value at frequency f to f * factor: ``[..., bins]`` -> the same shape.

    Linear interpolation between bins; above the last bin its value is held.
    """
    if factor == 1.0:
        return envelope
    bins = envelope.shape[-1]
    place = (torch.arange(bins, dtype=envelope.dtype) / factor).clamp_max(bins - 1)
    below = place.long().clamp_max(bins - 2)
    return torch.lerp(envelope[..., below], envelope[..., below + 1], place - below)
