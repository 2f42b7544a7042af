"""``retrieval.protect``: unvoiced sounds keep the features that they came with."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from pydantic import Field

from voicegraph.graph import (
    Features,
    In,
    Interval,
    Live,
    Mask,
    Node,
    NodeParams,
    Out,
    PortSpec,
    Request,
    Requests,
    SignalType,
    Tensors,
    register,
)
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames

OFF = 0.5
"""From here on, RVC's switch for it is off."""


class ProtectParams(NodeParams):
    """Params of ``retrieval.protect``."""

    protect: Live[float] = Field(0.33, ge=0, le=OFF, allow_inf_nan=False)
    """How much of retrieval reaches unvoiced frames: 0 is nothing. 0.5 switches protection off,
    so that all of it does, as in RVC."""


@register("retrieval.protect")
class Protect(Node[ProtectParams, None]):
    """Takes retrieval back where the voice is silent: consonants and breath smear under it.

    features ``content`` (after retrieval) and ``original`` (before it) ``[streams, frames, dim]``,
    and the mask ``voiced`` ``[streams, frames]`` -> features at the rate of the mask, on streams
    and windows. Each frame of the mask takes the features that hold at its time (those of 50 Hz are
    doubled for a mask of 100 Hz, counted from the window's first frame), mixed as
    ``w * content + (1 - w) * original`` with w going from ``protect`` where the mask is 0 to 1
    where it is 1.

    Source: the same in RVC's offline path, which it matches number for number.
    """

    pure = True
    devices = ("cpu", "cuda")
    examples = ({}, {"protect": 0.0}, {"protect": 0.5})

    content = In(Features, doc="features after retrieval")
    original = In(Features, like="content", doc="features before it")
    voiced = In(Mask, doc="1 where voiced, else 0")
    out = Out(Features, like="content", doc="mixed features, at the rate of the mask")

    def infer(
        self, params: ProtectParams, inputs: Mapping[str, SignalType]
    ) -> dict[str, SignalType]:
        """As wide as the content, at the rate of the mask."""
        content = inputs["content"]
        assert isinstance(content, Features)
        return {"out": Features(inputs["voiced"].rate, content.dim)}

    def needs(self, params: ProtectParams, out: Request) -> Requests:
        """The same span of all inputs."""
        return dict.fromkeys(self.input_types, Request(self.gives(params, out), out.core))

    def gives(self, params: ProtectParams, out: Request) -> Interval:
        """Whole frames."""
        return extend_to_whole_frames(out.interval, self.input_types["voiced"].rate)

    def load(self, params: ProtectParams, device: torch.device, dtype: torch.dtype) -> None:
        """Which frame of each input is taken for each frame made."""
        made = self.asked["out"]
        self._indices = {
            port: frame_indices(given, made).to(device) for port, given in self.given.items()
        }

    def process(self, inputs: Tensors, params: ProtectParams, state: None) -> Tensors:
        """One block or one window."""
        content = self._taken(inputs["content"], "content")
        if params.protect >= OFF:
            return {"out": content}
        original = self._taken(inputs["original"], "original")
        unvoiced = 1 - self._taken(inputs["voiced"], "voiced")[..., None]
        kept = unvoiced * (1 - params.protect)  # exactly 0 where voiced
        return {"out": content * (1 - kept) + original * kept}

    def _taken(self, values: torch.Tensor, port: str) -> torch.Tensor:
        """What of an input holds at the time of each frame made."""
        return values.index_select(1, self._indices[port])


def frame_indices(given: PortSpec, made: PortSpec) -> torch.Tensor:
    """Which of the frames given holds at the time of each frame made: ``[frames]`` int64.

    Both grids are exact, so the places are, too: no rounding error moves a frame by one.
    """
    start = (made.interval.start - given.interval.start) * given.rate
    step = given.rate / made.rate
    scale = math.lcm(start.denominator, step.denominator)
    frames = torch.arange(made.count, dtype=torch.int64)
    return (int(start * scale) + frames * int(step * scale)).div(scale, rounding_mode="floor")
