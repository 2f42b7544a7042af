"""``dsp.speech_level``: the level of the speech alone, in noise and in rooms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import torch

from voicegraph.graph import (
    Audio,
    ExportedNetwork,
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
from voicegraph.nodes.dsp._speech_level_export import PortableSpeechLevel
from voicegraph.nodes.dsp.speech_level_block import SpeechLevelBlock
from voicegraph.nodes.dsp.speech_level_network import (
    HOP,
    RATE,
    WINDOW,
    Memory,
    SpeechLevelNetwork,
    load_speech_level,
)
from voicegraph.nodes.layers.exported_stream import fixed, spoken, stream_reference

FRAMES_HZ = RATE // HOP
_EXPORTED_DB = 1e-3
"""Tolerance of exported networks: of a level of -120 to 0 dB, far below what is heard."""


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
        self._block = self._block_of(params, load_speech_level())

    def _block_of(self, params: SpeechLevelParams, network: SpeechLevelNetwork) -> SpeechLevelBlock:
        asked = self.asked["level"]
        first = self.given["audio"].index(asked.interval.start) - WINDOW // 2
        return SpeechLevelBlock(network, first, asked.count, _ahead(params))

    def state(self, params: SpeechLevelParams, streams: int) -> SpeechLevelState:
        """Nothing was heard."""
        return SpeechLevelState(*Memory.empty(streams))

    def process(
        self, inputs: Tensors, params: SpeechLevelParams, state: SpeechLevelState
    ) -> Tensors:
        """One block: the share of the frames that the network now knows."""
        memory = Memory(state.hidden, state.total, state.weight)
        level, heard = self._block(inputs["audio"], memory)
        for kept, new in zip(memory, heard, strict=True):
            kept.copy_(new)
        return {"level": level}

    def exports(self, params: SpeechLevelParams) -> ExportedNetwork:
        """A block, with the stream's state."""

        def step(inputs: Tensors, held: SpeechLevelState) -> Tensors:
            return self.process(inputs, params, held)

        portable = self._block_of(params, load_speech_level().portable())
        given, asked = self.given["audio"], self.asked["level"]
        return ExportedNetwork(
            module=PortableSpeechLevel(portable),
            inputs={"audio": fixed(given, "audio at 16 kHz")},
            outputs={
                "level": replace(
                    fixed(asked, "level of the speech in dB of full scale, every 10 ms"),
                    tolerance=_EXPORTED_DB,
                )
            },
            example=lambda case: {"audio": spoken("audio", case, given)},
            reference=stream_reference(step, self.state(params, 1)),
            state=self.state(params, 1).tensors(),
        )


def _ahead(params: SpeechLevelParams) -> int:
    """The look-ahead in frames: one of :data:`AHEAD`."""
    return int(params.lookahead.removesuffix("ms")) * FRAMES_HZ // 1000
