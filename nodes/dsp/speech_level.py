"""``dsp.speech_level``: the level of the speech alone, in noise and in rooms."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import torch

from voicegraph.graph import (
    Audio,
    Features,
    In,
    Node,
    NodeParams,
    Out,
    Request,
    Requests,
    State,
    Tensors,
    register,
)
from voicegraph.nodes.dsp.hann_power import HannPower
from voicegraph.nodes.dsp.speech_level_network import (
    AHEAD,
    HOP,
    RATE,
    WINDOW,
    Memory,
    load_speech_level,
)

FRAMES_HZ = RATE // HOP
FLOOR_DB = -120.0
"""Digital silence."""
_TINY = 1e-12


@dataclass
class SpeechLevelState(State):
    """What the network remembers of each stream: see :class:`Memory`.

    Attributes:
        hidden: float32 ``[streams, 96]``.
        total, weight: float64 ``[streams]``.
    """

    hidden: torch.Tensor
    total: torch.Tensor
    weight: torch.Tensor


class SpeechLevelParams(NodeParams):
    """Params of ``dsp.speech_level``."""

    lookahead: Literal["10ms", "50ms"] = "50ms"
    """What the network hears after a frame. More tells an onset from a click."""


@register("dsp.speech_level")
class SpeechLevel(Node[SpeechLevelParams, SpeechLevelState]):
    """Level of the speech alone every 10 ms, without noise and reverberation.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``level`` ``[streams, frames, 1]`` in dB of full
    scale at 100 Hz, -120 or more: a stream. Frame ``k`` is the mean power of the 25 ms under a Hann
    window around the block's start + 10 ms * k, times the share of it that is direct speech, which
    a small recurrent network hears in 32 bands, in what was before, and in ``lookahead``. The last
    frame reaches 2.5 ms beyond that.

    The network hears levels relative to the mean of the last seconds, so that an input may be quiet
    or loud. Its weights come with voicegraph. They learned from LibriSpeech with noises of many
    kinds at -3 to 40 dB, rooms and microphones: see ``docs/training.md``.

    Source: see :mod:`~voicegraph.nodes.dsp.speech_level_network`.
    """

    examples = ({}, {"lookahead": "10ms"})

    audio = In(Audio, rate=RATE, channels=1)
    level = Out(Features, rate=FRAMES_HZ, dim=1, doc="level of the speech in dB of full scale")

    def needs(self, params: SpeechLevelParams, out: Request) -> Requests:
        """The frames that the network hears, each with half a window on either side."""
        half, ahead = Fraction(WINDOW, 2 * RATE), Fraction(_ahead(params), FRAMES_HZ)
        return {"audio": out.widen(half, ahead + half - Fraction(1, FRAMES_HZ))}

    def load(self, params: SpeechLevelParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the network, or takes that of another session.

        Raises:
            WeightsError: if the file of its weights is damaged.
        """
        self._network, self._ahead = load_speech_level(), _ahead(params)
        self._count, given = self.asked["level"].count, self.given["audio"]
        first = given.index(self.asked["level"].interval.start) - WINDOW // 2
        self._power = HannPower(first, self._count + self._ahead, given.rate, FRAMES_HZ)
        begins = first + (self._ahead + torch.arange(self._count)) * HOP
        self._heard = begins[:, None] + torch.arange(WINDOW)

    def state(self, params: SpeechLevelParams, streams: int) -> SpeechLevelState:
        """Nothing was heard."""
        return SpeechLevelState(*Memory.empty(streams))

    def process(
        self, inputs: Tensors, params: SpeechLevelParams, state: SpeechLevelState
    ) -> Tensors:
        """One block: the share of the frames that the network now knows."""
        audio = inputs["audio"][:, 0]
        memory = Memory(state.hidden, state.total, state.weight)
        level = 10 * torch.log10(self._power(audio) + _TINY)
        bands = self._network.levels(audio[:, self._heard])
        share, heard = self._network(bands, level[:, self._ahead :], memory)
        for kept, new in zip(memory, heard, strict=True):
            kept.copy_(new)
        made = level[:, : self._count].float() + share[:, :, AHEAD.index(self._ahead)]
        return {"level": made.clamp_min(FLOOR_DB)[:, :, None]}


def _ahead(params: SpeechLevelParams) -> int:
    """The look-ahead in frames: one of :data:`AHEAD`."""
    return int(params.lookahead.removesuffix("ms")) * FRAMES_HZ // 1000
