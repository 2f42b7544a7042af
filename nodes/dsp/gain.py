"""``dsp.gain``: a gain that changes without clicks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Decibels,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    State,
    Tensors,
    register,
)
from voicegraph.nodes.dsp.param_glide import db_to_linear, scale


@dataclass
class GainState(State):
    """``gain`` ``[streams]`` float64: the factor in force after the newest sample."""

    gain: torch.Tensor


class GainParams(NodeParams):
    """Params of ``dsp.gain``."""

    db: Live[Decibels] = Field(0.0, ge=-120, le=60)
    """Gain in dB."""


@register("dsp.gain")
class Gain(Node[GainParams, GainState]):
    """Multiplies audio by a gain that may change while it runs.

    audio ``[streams, channels, samples]`` -> audio, same type. A change glides exponentially with a
    time constant of 5 ms, the same in blocks of any size.
    """

    devices = ("cpu", "cuda")
    needs_float64 = True
    examples = ({"db": -6.0},)

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def prepare(self, params: GainParams) -> None:
        """Notes the rate."""
        self._rate = float(self.input_types["audio"].rate)

    def state(self, params: GainParams, streams: int) -> GainState:
        """Starts at the target, so that nothing fades in."""
        start = db_to_linear(params.db)
        return GainState(torch.full((streams,), start, dtype=torch.float64, device=self.device))

    def process(self, inputs: Tensors, params: GainParams, state: GainState) -> Tensors:
        """One block."""
        return {"out": scale(inputs["audio"], state.gain, params.db, self._rate)}
