"""``dsp.to_mono``: mixes all channels to one."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from voicegraph.graph import Audio, In, Node, NodeParams, Out, SignalType, Tensors, register
from voicegraph.nodes.dsp.span_crop import SpanCrop


class ToMonoParams(NodeParams):
    """Params of ``dsp.to_mono``."""

    channel: int | None = Field(None, ge=1, le=64)
    """Number of the channel, from 1 (1 is left, 2 is right); null is the average."""


@register("dsp.to_mono")
class ToMono(Node[ToMonoParams, None]):
    """Down-mix: audio ``[streams, channels, samples]`` -> ``[streams, 1, samples]``.

    The average of all channels, which keeps the level of what they share and cannot clip, or one
    of the channels. Mono passes through.
    """

    pure = True
    devices = ("cpu", "cuda")
    examples = ({}, {"channel": 1})

    audio = In(Audio)
    out = Out(Audio, like="audio", channels=1)

    def infer(
        self, params: ToMonoParams, inputs: Mapping[str, SignalType]
    ) -> dict[str, SignalType]:
        """One channel at the input's rate.

        Raises:
            ValueError: if the input does not have the wanted channel.
        """
        width = inputs["audio"].width or 1
        if params.channel is not None and params.channel > width:
            raise ValueError(
                f"channel is {params.channel}, but the input has "
                + (f"channels 1 to {width}" if width > 1 else "channel 1 only")
            )
        return {"out": Audio(inputs["audio"].rate, 1)}

    def prepare(self, params: ToMonoParams) -> None:
        """Computes where the output's span lies in the input."""
        self._crop = SpanCrop.between(self.given["audio"], self.asked["out"])

    def process(self, inputs: Tensors, params: ToMonoParams, state: None) -> Tensors:
        """One block."""
        audio = self._crop(inputs["audio"])
        if audio.shape[1] == 1:
            return {"out": audio}
        if params.channel is None:
            return {"out": audio.mean(1, keepdim=True)}
        return {"out": audio[:, params.channel - 1 : params.channel].contiguous()}
