"""``dsp.to_stereo``: copies one channel to two or more."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from voicegraph.graph import Audio, In, Node, NodeParams, Out, SignalType, Tensors, register
from voicegraph.nodes.dsp.span_crop import SpanCrop


class ToStereoParams(NodeParams):
    """Params of ``dsp.to_stereo``."""

    channels: int = Field(2, ge=1, le=64)
    """Channels of the output."""


@register("dsp.to_stereo")
class ToStereo(Node[ToStereoParams, None]):
    """Copies mono to all channels: ``[streams, 1, samples]`` -> ``[streams, channels, samples]``.

    Audio that already has that many channels passes through unchanged.
    """

    pure = True
    devices = ("cpu", "cuda")
    examples = ({}, {"channels": 3})

    audio = In(Audio)
    out = Out(Audio, like="audio", channels=2)

    def infer(
        self, params: ToStereoParams, inputs: Mapping[str, SignalType]
    ) -> dict[str, SignalType]:
        """The wanted channels at the input's rate.

        Raises:
            ValueError: if the input is neither mono nor of that many channels.
        """
        width = inputs["audio"].width
        if width not in (1, params.channels):
            raise ValueError(
                f"makes {params.channels} channels of 1, but the input has {width}: "
                "put dsp.to_mono before it"
            )
        return {"out": Audio(inputs["audio"].rate, params.channels)}

    def prepare(self, params: ToStereoParams) -> None:
        """Computes where the output's span lies in the input."""
        self._crop = SpanCrop.between(self.given["audio"], self.asked["out"])

    def process(self, inputs: Tensors, params: ToStereoParams, state: None) -> Tensors:
        """One block."""
        audio = self._crop(inputs["audio"])
        if audio.shape[1] == params.channels:
            return {"out": audio}
        return {"out": audio.expand(-1, params.channels, -1).contiguous()}
