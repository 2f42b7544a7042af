"""Nodes whose effect changes with time, as their authors would write them, and some that lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch

from voicegraph.graph.intervals import Request
from voicegraph.graph.node import Node, Requests, State, Tensors
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio


@dataclass
class Position(State):
    """``samples`` ``[streams]`` int64: samples so far."""

    samples: torch.Tensor


class Modulated(Node):
    """Base: ``out = audio * carrier(time)``."""

    modulates = True

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def state(self, params: Any, streams: int) -> Position:
        return Position(torch.zeros(streams, dtype=torch.int64))

    def process(self, inputs: Tensors, params: Any, state: Any) -> Tensors:
        count = self.asked["out"].count
        samples = state.samples[:, None] + torch.arange(count)
        state.samples += count
        return {"out": self.effect(inputs["audio"], samples.double() / self.rate).float()}

    @property
    def rate(self) -> float:
        return float(self.input_types["audio"].rate)

    def effect(self, audio: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        """The output ``[streams, channels, samples]`` at ``time`` ``[streams, samples]``."""
        return audio * self.carrier(time)[:, None]

    def carrier(self, time: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


class AmplitudeModulation(Modulated):
    def carrier(self, time: torch.Tensor) -> torch.Tensor:
        return 0.5 + 0.45 * torch.sin(2 * math.pi * 6 * time)


class RingModulation(Modulated):
    def carrier(self, time: torch.Tensor) -> torch.Tensor:
        return torch.sin(2 * math.pi * 440 * time)


class _ReadsBack(Modulated):
    """Base: reads the audio at moving places of its history."""

    before = Fraction(30, 1000)
    after = Fraction(0)

    def needs(self, params: Any, out: Request) -> Requests:
        return {"audio": out.widen(before=self.before, after=self.after)}

    def read(self, audio: torch.Tensor, delay: torch.Tensor) -> torch.Tensor:
        """The audio ``delay`` seconds ``[streams, samples]`` ago, by linear interpolation."""
        asked = self.asked["out"]
        start = self.given["audio"].index(asked.interval.start)
        place = start + torch.arange(asked.count) - delay * self.rate
        whole = place.floor().long().clamp(0, audio.shape[2] - 2)
        part = (place - whole)[:, None]
        at = whole[:, None].expand(-1, audio.shape[1], -1)
        return audio.gather(2, at) * (1 - part) + audio.gather(2, at + 1) * part


class Chorus(_ReadsBack):
    """The dry sound, and a copy whose delay swings between 10 and 20 ms."""

    def effect(self, audio: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        delay = 0.015 + 0.005 * torch.sin(2 * math.pi * 0.8 * time)
        return 0.5 * self.read(audio, torch.zeros_like(time)) + 0.5 * self.read(audio, delay)


class PitchShift(_ReadsBack):
    """Up by a fifth: two reading heads run through grains of 40 ms, which are centred."""

    grain_s = 0.04
    before = after = Fraction(20, 1000) + Fraction(1, 1000)

    def effect(self, audio: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        made = torch.zeros(())
        for offset in (0.0, 0.5):
            phase = (offset - time * 0.5 / self.grain_s) % 1  # ratio 1.5
            window = torch.sin(math.pi * phase) ** 2
            made = made + self.read(audio, (phase - 0.5) * self.grain_s) * window[:, None]
        return made


class UndeclaredRing(RingModulation):
    """A ring modulator that says nothing of it."""

    modulates = False


class LateRing(_ReadsBack):
    """A ring modulator that is 5 ms late without declaring it."""

    def effect(self, audio: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        late = self.read(audio, torch.full_like(time, 0.005))
        return late * torch.sin(2 * math.pi * 440 * time)[:, None]


class EarlyRing(_ReadsBack):
    """A ring modulator that declares 5 ms which it does not take."""

    after = Fraction(5, 1000)

    def effect(self, audio: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        early = self.read(audio, torch.full_like(time, -0.005))
        return early * torch.sin(2 * math.pi * 440 * time)[:, None]


class Mute(Modulated):
    def carrier(self, time: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(time)


CORRECT: tuple[type[Node], ...] = (AmplitudeModulation, RingModulation, Chorus, PitchShift)
WRONG: tuple[type[Node], ...] = (UndeclaredRing, LateRing, EarlyRing, Mute)
