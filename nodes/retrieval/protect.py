"""``retrieval.protect``: protects unvoiced frames from retrieval."""

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
"""From this value on RVC switches protection off."""


class ProtectParams(NodeParams):
    """Params of ``retrieval.protect``."""

    protect: Live[float] = Field(0.33, ge=0, le=OFF, allow_inf_nan=False)
    """Share of retrieval in unvoiced frames: 0 is none; 0.5 switches protection off, so that the
    share is 1, as in RVC."""


@register("retrieval.protect")
class Protect(Node[ProtectParams, None]):
    """Reduces retrieval in unvoiced frames, where it would smear consonants and breath.

    features ``content`` (after retrieval) and ``original`` (before it) ``[streams, frames, dim]``,
    and the mask ``voiced`` ``[streams, frames]`` -> features at the rate of the mask, on streams
    and windows. Each frame of the mask takes the newest features at its time (features at 50 Hz are
    repeated for a mask at 100 Hz, counted from the window's first frame), mixed as
    ``w * content + (1 - w) * original`` with w going from ``protect`` where the mask is 0 to 1
    where it is 1.

    Source: RVC's offline conversion, which it matches number for number.
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
        """The span, extended to whole frames."""
        return extend_to_whole_frames(out.interval, self.input_types["voiced"].rate)

    def load(self, params: ProtectParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes the input frame for each output frame."""
        made = self.asked["out"]
        self._indices = {
            port: frame_indices(given, made).to(device) for port, given in self.given.items()
        }

    def process(self, inputs: Tensors, params: ProtectParams, state: None) -> Tensors:
        """One block or window."""
        content = self._taken(inputs["content"], "content")
        if params.protect >= OFF:
            return {"out": content}
        original = self._taken(inputs["original"], "original")
        unvoiced = 1 - self._taken(inputs["voiced"], "voiced")[..., None]
        kept = unvoiced * (1 - params.protect)  # exactly 0 where voiced
        return {"out": content * (1 - kept) + original * kept}

    def _taken(self, values: torch.Tensor, port: str) -> torch.Tensor:
        """The input frame for each output frame."""
        return values.index_select(1, self._indices[port])


def frame_indices(given: PortSpec, made: PortSpec) -> torch.Tensor:
    """Index of the newest input frame at the time of each output frame: int64 ``[frames]``.

    The arithmetic is exact: no rounding error shifts a frame by one.
    """
    start = (made.interval.start - given.interval.start) * given.rate
    step = given.rate / made.rate
    scale = math.lcm(start.denominator, step.denominator)
    frames = torch.arange(made.count, dtype=torch.int64)
    return (int(start * scale) + frames * int(step * scale)).div(scale, rounding_mode="floor")
