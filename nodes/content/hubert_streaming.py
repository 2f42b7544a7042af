"""``content.hubert_streaming``: features of a HuBERT encoder that remembers older frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal

import torch
from pydantic import Field, field_validator

from voicegraph.graph import (
    Approximation,
    Duration,
    ExportedNetwork,
    Interval,
    PipelineError,
    Ports,
    Problem,
    Request,
    Requests,
    Tensors,
    WrongValueError,
    format_duration,
    parse_duration,
    register,
)
from voicegraph.nodes.content._hubert_encoder import (
    HubertEncoder,
    HubertEncoderParams,
)
from voicegraph.nodes.content._hubert_network import HubertNetwork
from voicegraph.nodes.content._hubert_stream import STEP, HubertStream, HubertStreamState
from voicegraph.nodes.content._hubert_stream_export import (
    PortableHubertStream,
    PortableHubertWindow,
)
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.hubert_sizes import FRAMES_HZ
from voicegraph.nodes.content.phonetic_frames import frames_covering
from voicegraph.nodes.layers.exported_stream import fixed, spoken, stream_reference
from voicegraph.nodes.layers.form import PORTABLE_FLOAT32
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames

_FRAME = Fraction(1, FRAMES_HZ)


class HubertStreamingParams(HubertEncoderParams):
    """Params of ``content.hubert_streaming``."""

    context: Duration = Field(parse_duration("4s"), ge=_FRAME, le=30)
    """Past that attention uses, before what is computed again; rounded up to 20 ms."""
    recompute: Duration | None = Field(parse_duration("240ms"), ge=0, le=30)
    """Time before each block whose frames are computed again; whole frames of 20 ms. Older frames
    are remembered. null remembers none: the context is encoded anew at each block, as by
    `content.hubert`."""
    output: Literal["window", "stream"] = "window"
    """`window`: what the consumer asks for, its newest frames revised at each block. `stream`:
    each frame once, for nodes with state."""
    lookahead: Duration = Field(Fraction(0), ge=0, le=2)
    """Audio after the newest frame of the output that it hears, beyond the 5 ms that it always
    does; this is latency. Whole frames of 20 ms."""

    @field_validator("recompute", "lookahead")
    @classmethod
    def _whole_frames(cls, time: Duration | None) -> Duration | None:
        if time is None or (time * FRAMES_HZ).denominator == 1:
            return time
        near = [format_duration((int(time * FRAMES_HZ) + k) * _FRAME) for k in (0, 1)]
        text = f"expected whole frames of 20 ms, such as {' or '.join(near)}"
        raise WrongValueError(text, near[1])


@register("content.hubert_streaming")
class HubertStreaming(HubertEncoder[HubertStreamingParams, HubertStreamState]):
    """Content features by an encoder of the HuBERT base architecture, with cached state.

    audio ``[streams, 1, samples]`` at 16 kHz, not normalised -> ``content`` ``[streams, frames,
    dim]`` at 50 Hz. Frame ``k`` begins 20 ms * k after the first, as F0 frames do, and its own
    input are the 25 ms from there on: so it looks 5 ms ahead. It reads the files of
    ``content.hubert`` and labels its features alike.

    At each block the convolutions run on the new audio alone. The new frames, and those of
    ``recompute`` before them, go through the transformer; they attend to each other in both
    directions, and to ``context`` before them by the keys and values that those frames had when
    they were computed last. The statistics of the first norm, which is over time, are those of the
    newest frames, as many as attention uses; a frame's convolutions are made with those of its own
    block. Before the stream there are no frames, and no sound that counts.

    So a block costs what its new and recomputed frames cost, instead of the whole context. What is
    remembered has itself heard more than the context. On speech, with another network that was
    trained on whole files (a Conformer), the newest frames were closer to those of the whole file
    than the frames of a window of 2.8 s were, which is what ``content.hubert`` has in a live
    pipeline; docs/rvc.md has the figures.

    Blocks hold whole frames of 20 ms, and longer blocks cost less for each second. The features
    depend on the block, since that is how many frames are new at once.

    Sources: W.-N. Hsu et al., "HuBERT: self-supervised speech representation learning by masked
    prediction of hidden units", IEEE/ACM TASLP 29, 2021. Cached keys and values, and a right
    context that is computed again: Y. Shi et al., "Emformer: efficient memory transformer based
    acoustic model for low latency streaming speech recognition", ICASSP 2021.
    """

    chunking = "windowed"
    examples = (
        {"weights": "encoder.safetensors", "layer": 2, "context": "300ms", "recompute": "40ms"},
        {
            "weights": "encoder.safetensors",
            "layer": 1,
            "project": True,
            "context": "110ms",
            "output": "stream",
            "lookahead": "60ms",
        },
        {"weights": "encoder.safetensors", "layer": 2, "context": "300ms", "recompute": None},
    )

    def ports(self, params: HubertStreamingParams) -> Ports:
        """The ports of a HuBERT encoder; a stream or a window.

        Raises:
            PipelineError: if no file is named, it has no such layer or no projection, or its
                frames do not overlap.
            WeightsError: if the file is no encoder, or its tensors are not what they should be.
        """
        ports = super().ports(params)
        if (field := self.sizes(params).field) < STEP:
            text = f"{params.weights} hears {field} samples a frame, less than the {STEP} to the "
            text += "next one, so it cannot go with a stream"
            fix = f"nodes.{self.name or 'NAME'}.use: content.hubert"
            raise PipelineError(Problem("wrong-encoder", text, fix=fix))
        content = replace(ports.outputs["content"], window=params.output == "window")
        return Ports(ports.inputs, {"content": content})

    def block_rates(self, params: HubertStreamingParams) -> tuple[Fraction]:
        """Each block brings a whole number of frames."""
        return (Fraction(FRAMES_HZ),)

    def approximations(self, params: HubertStreamingParams) -> Sequence[Approximation]:
        """Frames that are remembered."""
        if params.recompute is None:
            return ()
        text = f"frames more than {format_duration(params.recompute)} before a block keep the "
        text += "values of an earlier block, and convolutions are not made again"
        return (Approximation("recompute", text, None),)

    def needs(self, params: HubertStreamingParams, out: Request) -> Requests:
        """The new audio, and the context before it if nothing is remembered."""
        end = out.end + params.lookahead
        field = Fraction(self.sizes(params).field, RATE)
        start = end - self.block
        if params.recompute is None:
            start -= frames_covering(params.context) * _FRAME
        return {"audio": Request.of(start, end - _FRAME + field)}

    def gives(self, params: HubertStreamingParams, out: Request) -> Interval:
        """The span, extended to whole frames."""
        return extend_to_whole_frames(out.interval, Fraction(FRAMES_HZ))

    def frames_computed(self, params: HubertStreamingParams) -> tuple[int, int]:
        """New frames, and with them those that are computed again: all of them, if so asked."""
        new = int(self.block * FRAMES_HZ)
        if params.recompute is None:
            return (whole := new + frames_covering(params.context)), whole
        return new, new + int(params.recompute * FRAMES_HZ)

    def load(self, params: HubertStreamingParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the network, once a process for each file, layer, device and form."""
        asked, new = self.asked["content"], int(self.block * FRAMES_HZ)
        ahead = int(params.lookahead * FRAMES_HZ)
        past, again = frames_covering(params.context), params.recompute
        network = self.shared_network(params, device, dtype)
        self._whole = again is None
        self._stream = self._stream_of(network, params)
        newest = asked.interval.end + params.lookahead
        # The first frames lie before the stream by the look-ahead of this and of other nodes.
        self._first = -frames_covering(-newest)
        samples = (new + (past if self._whole else 0)) * STEP + network.sizes.field - STEP
        start = newest - self.block - (past * _FRAME if self._whole else 0)
        first = self.given["audio"].index(start)
        self._audio = slice(first, first + samples)
        self._span = slice(-ahead - asked.count, -ahead or None)

    def _stream_of(self, network: HubertNetwork, params: HubertStreamingParams) -> HubertStream:
        past, again = frames_covering(params.context), params.recompute
        if again is None:
            past, again = 1, Fraction(0)
        kept = self.asked["content"].count + int(params.lookahead * FRAMES_HZ)
        new = int(self.block * FRAMES_HZ)
        return HubertStream(network, past, int(again * FRAMES_HZ), new, kept)

    def state(self, params: HubertStreamingParams, streams: int) -> HubertStreamState:
        """The state at the beginning of a stream."""
        return self._stream.begin(streams, self._first)

    def process(
        self, inputs: Tensors, params: HubertStreamingParams, state: HubertStreamState
    ) -> Tensors:
        """One block."""
        audio = inputs["audio"][:, 0, self._audio]
        step = self._stream.anew if self._whole else self._stream
        return {"content": step(audio, state)[:, self._span].clone()}

    def exports(self, params: HubertStreamingParams) -> ExportedNetwork:
        """A block, with the stream's state."""
        portable = self._stream_of(self.network_in(params, PORTABLE_FLOAT32), params)
        given, state = self.given["audio"], self.state(params, 1)
        if self._whole:
            module, begin = PortableHubertWindow(portable, self._audio, self._span), {}
            begin["features"] = state.features
        else:
            module = PortableHubertStream(portable, self._audio, self._span)
            begin = module.begin(state)

        def step(inputs: Tensors, held: HubertStreamState) -> Tensors:
            return self.process(inputs, params, held)

        return ExportedNetwork(
            module=module,
            inputs={"audio": fixed(given, "audio at 16 kHz, not normalised")},
            outputs={"content": fixed(self.asked["content"], "content features at 50 Hz")},
            example=lambda case: {"audio": spoken("audio", case, given)},
            reference=stream_reference(step, self.state(params, 1)),
            state=begin,
        )
