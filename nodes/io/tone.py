"""``io.tone``: a sine with live frequency and level."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import torch
from pydantic import Field, ValidationInfo, field_validator

from voicegraph.graph import (
    Audio,
    Decibels,
    Hertz,
    Live,
    Node,
    NodeParams,
    Out,
    Ports,
    Rate,
    State,
    Tensors,
    register,
)
from voicegraph.nodes.dsp.param_glide import at_rest, db_to_linear, decay, glide
from voicegraph.nodes.io._source import first_position


@dataclass
class ToneState(State):
    """Oscillator state, all ``[streams]``.

    ``position`` int64: absolute index of the next sample. ``phase`` float64: phase of the next
    sample, in cycles. ``frequency`` (Hz) and ``gain`` float64: in force after the newest sample.
    """

    position: torch.Tensor
    phase: torch.Tensor
    frequency: torch.Tensor
    gain: torch.Tensor


class ToneParams(NodeParams):
    """Params of ``io.tone``."""

    rate: Rate = Fraction(48000)
    """Samples a second, in Hz."""
    channels: int = Field(1, ge=1, le=64)
    """Number of channels; all carry the same tone."""
    frequency: Live[Hertz] = Field(440.0, gt=0)
    """Frequency in Hz, below half of ``rate``."""
    level: Live[Decibels] = Field(-12.0, ge=-120, le=0)
    """Peak level in dB below full scale (amplitude 1)."""

    @field_validator("frequency")
    @classmethod
    def _below_nyquist(cls, frequency: float, info: ValidationInfo) -> float:
        rate = info.data.get("rate")  # missing if it is wrong itself
        if rate is not None and frequency >= rate / 2:
            limit = float(rate / 2)
            raise ValueError(f"expected less than half of the rate, {limit:g} Hz")
        return frequency


@register("io.tone")
class Tone(Node[ToneParams, ToneState]):
    """A sine: nothing -> ``out`` audio ``[streams, channels, samples]``, the same in all of them.

    The phase is 0 at time zero and continuous. Changes of frequency and level glide with a time
    constant of 5 ms. The phase is the exact sum of the gliding frequency, so the tone is the same
    in blocks of any size.
    """

    examples = ({"rate": 16000}, {"channels": 2, "frequency": 997.0, "level": -3.0})

    out = Out(Audio, doc="the tone; rate and channels as in the params")

    def ports(self, params: ToneParams) -> Ports:
        """Rate and channels come from the params."""
        made = replace(type(self).out, rate=params.rate, channels=params.channels)
        return Ports(outputs={"out": made})

    def prepare(self, params: ToneParams) -> None:
        """Notes the rate."""
        self._rate = float(params.rate)

    def state(self, params: ToneParams, streams: int) -> ToneState:
        """Starts at phase 0, at the frequency and level of the params."""

        def full(value: float) -> torch.Tensor:
            return torch.full((streams,), value, dtype=torch.float64)

        gain = db_to_linear(params.level)
        position = first_position(self.asked["out"], streams)
        return ToneState(position, full(0.0), full(params.frequency), full(gain))

    def process(self, inputs: Tensors, params: ToneParams, state: ToneState) -> Tensors:
        """One block."""
        count, rate = self.asked["out"].count, self._rate
        index = state.position[:, None] + torch.arange(count + 1)
        steps = index.clamp(min=0) - state.position.clamp(min=0)[:, None]
        phase = state.phase[:, None] + self._cycles(steps, params.frequency, state.frequency)
        gain = glide(state.gain, db_to_linear(params.level), rate, count)
        wave = gain * torch.sin(2 * math.pi * (phase[:, :-1] % 1.0))
        wave = torch.where(index[:, :-1] < 0, 0.0, wave).to(torch.float32)
        glide(state.frequency, params.frequency, rate, count)
        state.phase.copy_(phase[:, -1] % 1.0)
        state.position += count
        return {"out": wave[:, None].expand(-1, params.channels, -1).contiguous()}

    def _cycles(self, steps: torch.Tensor, target: float, frequency: torch.Tensor) -> torch.Tensor:
        """Cycles passed after ``steps`` samples: the geometric sum of a gliding frequency."""
        steps = steps.to(torch.float64)
        cycles = steps * (target / self._rate)
        if at_rest(frequency, target):
            return cycles
        a = decay(self._rate)
        away = (frequency - target)[:, None] / self._rate
        return cycles + away * (a / (1 - a)) * -torch.expm1(steps * math.log(a))
