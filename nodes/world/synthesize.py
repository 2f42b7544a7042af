"""``world.synthesize``: a voice from pitch, spectral envelope and aperiodicity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch
from pydantic import Field, field_validator

from voicegraph.graph.intervals import Request
from voicegraph.graph.node import (
    Live,
    Node,
    NodeParams,
    Requests,
    State,
    Tensors,
)
from voicegraph.graph.ports import In, Out, Ports
from voicegraph.graph.registry import register
from voicegraph.graph.signals import Audio, Features, Pitch, SignalType
from voicegraph.schemas.quantities import Duration, Hertz, Rate, Semitones, format_rate

from voicegraph.nodes.world import library
from voicegraph.nodes.world.pulses import frequency, lead_f0

_LOUDEST = 40.0
"""Logarithm of the power that is still believed: far above any sound, far below overflow."""


@dataclass
class SynthesizeState(State):
    """``phase`` ``[streams]`` float64: periods, modulo 1, at the first frame of the next window."""

    phase: torch.Tensor


@register("world.synthesize")
class Synthesize(Node):
    """Speech from WORLD's parameters.

    pitch in Hz ``[streams, frames]``, 0 where unvoiced, and features ``[streams, frames, bins]``
    ``envelope`` (natural logarithm of the power) and ``aperiodicity`` (0..1), as ``world.analyze``
    gives them -> audio ``[streams, 1, samples]`` at ``rate``, a window, to be joined by
    ``dsp.sola``.

    Every pitch period is a minimum-phase pulse plus noise. ``formant`` stretches the envelope along
    frequency by 2^(semitones / 12): bin k takes what was at k / factor, linearly interpolated; the
    last bin is held. The pitch is left alone: transpose it before.

    Source: M. Morise, F. Yokomori, K. Ozawa, "WORLD: a vocoder-based high-quality speech synthesis
    system for real-time applications", IEICE Trans. Inf. & Syst. E99-D(7), 2016.
    """

    class Params(NodeParams):
        """Params of ``world.synthesize``."""

        rate: Rate = Field(examples=[48000])
        """Samples a second of the output in Hz: the rate of the audio that was analysed."""
        floor: Hertz = Field(71.0, ge=40, le=200)
        """Decides the FFT size; the same as that of the ``world.analyze`` before it."""
        formant: Live[Semitones] = Field(0.0, ge=-24, le=24)
        """How much higher the formants are made, in semitones; above 0 a smaller speaker."""
        extra: Duration = Field(Fraction(60, 1000), ge=Fraction(30, 1000), le=2)
        """Synthesised before what is asked, so that its first pulses have come in."""

        @field_validator("rate")
        @classmethod
        def _whole(cls, value: Fraction) -> Fraction:
            if value.denominator > 1:
                raise ValueError(f"WORLD makes audio at whole rates, not at {format_rate(value)}")
            return value

    chunking = "windowed"
    releases_gil = True
    examples = ({"rate": 8000}, {"rate": 16000, "formant": 3.0, "extra": "30ms"})

    pitch = In(Pitch, doc="F0 in Hz, 0 where unvoiced")
    envelope = In(Features, doc="natural logarithm of the power spectrum")
    aperiodicity = In(Features, doc="share of noise in the amplitude, 0..1")
    audio = Out(Audio, channels=1, window=True)

    def ports(self, params: Params) -> Ports:
        """Rate and bins come from the params."""
        own, bins = type(self).declared, library.fft_size(params.rate, params.floor) // 2 + 1
        return Ports(
            {
                "pitch": own.inputs["pitch"],
                "envelope": replace(own.inputs["envelope"], dim=bins),
                "aperiodicity": replace(own.inputs["aperiodicity"], dim=bins),
            },
            {"audio": replace(own.outputs["audio"], rate=params.rate)},
        )

    def infer(self, params: Params, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """One channel at ``rate``.

        Raises:
            ValueError: if the frames do not come at one rate.
        """
        rates = {name: found.rate for name, found in inputs.items()}
        if len(set(rates.values())) > 1:
            listed = ", ".join(f"{name} at {format_rate(rate)}" for name, rate in rates.items())
            raise ValueError(f"all inputs must come at one rate, found {listed}")
        return {"audio": Audio(params.rate, 1)}

    def needs(self, params: Params, out: Request) -> Requests:
        """The same span of frames, with ``extra`` before it."""
        return dict.fromkeys(self.input_types, out.widen(before=params.extra))

    def process(self, inputs: Tensors, params: Params, state: SynthesizeState) -> Tensors:
        """One tick: every stream's whole window."""
        asked = self.asked["audio"]
        start = max(spec.interval.start for spec in self.given.values())
        end = min(spec.interval.end for spec in self.given.values())
        frame_rate = self.given["pitch"].rate
        frames = math.ceil((end - start) * frame_rate)
        cut = {
            name: values.narrow(1, self.given[name].index(start), frames).double()
            for name, values in inputs.items()
        }
        envelope = stretch(cut["envelope"], 2.0 ** (params.formant / 12.0))
        power = envelope.clamp_max(_LOUDEST).exp().contiguous().numpy()
        noise = cut["aperiodicity"].clamp(0.0, 1.0).contiguous().numpy()
        pitch = cut["pitch"].contiguous().numpy()
        made = np.zeros(asked.shape(len(pitch)), np.float32)
        rate = int(asked.rate)
        fr = float(frame_rate)
        H = int(asked.rate/frame_rate)
        first = int((asked.interval.start - start) * asked.rate + asked.rate/frame_rate)
        B = int(self.block*asked.rate)
        pad = lambda v: np.concatenate((v[:1], v))
        for row in range(len(pitch)):
            f0 = pad(pitch[row])
            phase = state.phase[row].item()
            f0[0] = lead_f0(f0[1], phase, fr, rate)
            audio = library.synthesize(f0, pad(power[row]), pad(noise[row]), rate, float(1000 / frame_rate)
            )[first : first + asked.count]
            made[row, 0, : len(audio)] = audio
            times = np.arange(1, B + 1) / rate
            state.phase[row] = (phase + frequency(pitch[row], fr, times).sum() / rate) % 1.0
        return {"audio": torch.from_numpy(made)}

    def state(self, params, streams):
        return SynthesizeState(torch.zeros(streams, dtype=torch.float64))


def stretch(envelope: torch.Tensor, factor: float) -> torch.Tensor:
    """Moves what is at frequency f to f * factor: ``[..., bins]`` -> the same shape.

    Linear between bins; above the last one its value is held.
    """
    if factor == 1.0:
        return envelope
    bins = envelope.shape[-1]
    place = (torch.arange(bins, dtype=envelope.dtype) / factor).clamp_max(bins - 1)
    below = place.long().clamp_max(bins - 2)
    return torch.lerp(envelope[..., below], envelope[..., below + 1], place - below)
