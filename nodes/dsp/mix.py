"""``dsp.mix``: adds several signals, each with its own gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

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
    Ports,
    State,
    Tensors,
    register,
)
from voicegraph.nodes.dsp.param_glide import db_to_linear, scale
from voicegraph.schemas.pipeline import Name

MixGain = Annotated[Decibels, Field(ge=-120, le=60)]
"""Gain of one input, in dB."""


@dataclass
class MixState(State):
    """``gains`` ``[streams, inputs]`` float64: the factors in force after the newest sample."""

    gains: torch.Tensor


class MixParams(NodeParams):
    """Params of ``dsp.mix``."""

    gains: Live[dict[Name, MixGain]] = Field(min_length=1, examples=[{"dry": -6.0, "wet": 0.0}])
    """The node's inputs by name, each with its gain in dB."""

    def check_change(self, new: MixParams) -> None:
        """Gains may change while it runs, inputs may not."""
        if new.gains.keys() != self.gains.keys():
            raise ValueError(
                f"the inputs are {', '.join(self.gains)} and stay so while the session runs: "
                "give each of them a gain"
            )


@register("dsp.mix")
class Mix(Node[MixParams, MixState]):
    """Adds audio signals: one input for each name in ``gains`` -> ``out``, all of one type.

    ``out = sum of gain * input``, ``[streams, channels, samples]``. Changes of the gains glide as
    in ``dsp.gain``. The sum may exceed full scale: see ``dsp.limiter``.
    """

    devices = ("cpu", "cuda")
    needs_float64 = True
    examples = ({"gains": {"dry": -6.0, "wet": -6.0}}, {"gains": {"one": 0.0}})

    out = Out(Audio)

    def ports(self, params: MixParams) -> Ports:
        """One input for each name in ``gains``."""
        first, *rest = params.gains
        inputs = {first: In(Audio), **{name: In(Audio, like=first) for name in rest}}
        return Ports(inputs, {"out": Out(Audio, like=first)})

    def prepare(self, params: MixParams) -> None:
        """Notes the rate."""
        self._rate = float(self.output_types["out"].rate)

    def state(self, params: MixParams, streams: int) -> MixState:
        """Starts at the wanted gains, so that nothing fades in."""
        factors = [db_to_linear(db) for db in params.gains.values()]
        gains = torch.tensor([factors] * streams, dtype=torch.float64, device=self.device)
        return MixState(gains)

    def process(self, inputs: Tensors, params: MixParams, state: MixState) -> Tensors:
        """One block."""
        first, *rest = (
            scale(inputs[name], state.gains[:, column], params.gains[name], self._rate)
            for column, name in enumerate(self.declared.inputs)
        )
        return {"out": sum(rest, start=first)}
