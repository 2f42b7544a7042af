"""``content.streaming``: content features by a streaming phonetic encoder with state."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import torch
from pydantic import Field, field_validator

from voicegraph.graph import (
    Duration,
    ExportedNetwork,
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
from voicegraph.nodes.content import _phonetic_example as phonetic_example
from voicegraph.nodes.content._phonetic_encoder import PhoneticEncoder, PhoneticEncoderParams
from voicegraph.nodes.content._phonetic_export import PortablePhoneticStream
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_frames import FRAMES_HZ, frames_covering
from voicegraph.nodes.content.phonetic_network import STEP, PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import (
    AFTER,
    BEFORE,
    PhoneticStream,
    PhoneticStreamState,
)
from voicegraph.nodes.layers.exported_stream import fixed, spoken, stream_reference
from voicegraph.nodes.layers.form import PORTABLE_FLOAT32

_FRAME = Fraction(1, FRAMES_HZ)
_AFTER = Fraction(AFTER, RATE)


class StreamingParams(PhoneticEncoderParams):
    """Params of ``content.streaming``."""

    context: Duration = Field(parse_duration("4s"), ge=_FRAME, le=30)
    """Settled past that attention uses; rounded up to 20 ms."""
    settle: Duration = Field(parse_duration("200ms"), ge=_FRAME, le=2)
    """Time after which a frame is settled: its cached values stay. Whole frames of 20 ms."""
    lookahead: Duration = Field(parse_duration("50ms"), ge=0, le=2)
    """Audio context after each block; this is latency. 10 ms more than whole frames of 20 ms,
    and less than `settle`."""

    @field_validator("settle")
    @classmethod
    def _whole_frames(cls, settle: Duration) -> Duration:
        frames = settle * FRAMES_HZ
        if frames.denominator > 1:
            near = [format_duration((int(frames) + k) * _FRAME) for k in (0, 1)]
            text = f"expected whole frames of 20 ms, such as {' or '.join(near)}"
            raise WrongValueError(text, near[0])
        return settle

    @field_validator("lookahead")
    @classmethod
    def _to_the_end_of_a_step(cls, lookahead: Duration) -> Duration:
        frames = (lookahead - _AFTER) * FRAMES_HZ
        if frames.denominator > 1 or frames < 0:
            near = {max(math.floor(frames) + k, 0) for k in (0, 1)}
            fitting = sorted(k * _FRAME + _AFTER for k in near)
            nearest = min(fitting, key=lambda found: abs(found - lookahead))
            text = "expected 10 ms and whole frames of 20 ms, such as"
            text += f" {' or '.join(map(format_duration, fitting))}"
            raise WrongValueError(text, format_duration(nearest))
        return lookahead


@register("content.streaming")
class Streaming(PhoneticEncoder[StreamingParams, PhoneticStreamState]):
    """Content features by a streaming Conformer with cached state.

    audio ``[streams, 1, samples]`` at 16 kHz, not normalised -> ``content`` ``[streams, frames,
    dim]`` at 50 Hz: a stream, as wide as the encoder. Frame ``k`` of a block is centred at the
    block's start + 20 ms * k, as F0 frames are.

    There is a step every 20 ms, whatever the block. At each step the newest frames, as many as
    ``settle`` covers and one more, are computed again. They attend to each other in both directions
    and to ``context`` before them, whose keys, values and convolution inputs are cached. A frame is
    output once ``lookahead`` after it is known; later frames use its values from when it was
    settled. So the look-ahead of a frame does not depend on its position in a block, and the
    receptive field grows into the past with every block. Before the stream there are no frames, and
    the audio is silence.

    The cost of a step depends on ``settle``, and little on ``context``. The steps of a block are
    computed together, so longer blocks cost less for each second.

    ``content.phonetic`` runs the same files on a sliding window without state. The bundled encoder
    was trained for the defaults: on 24 speakers outside the training set, the mean cosine
    similarity of its features to its teacher's on whole utterances is 0.895, after normalising mean
    and variance. An encoder that was trained on whole files expects a future that a stream lacks:
    the teacher itself reaches 0.834 here, and 0.892 on a window of 2 s with 100 ms of look-ahead.
    Use a voice or an index with the ``settle``, ``lookahead`` and ``context`` that its features
    were computed with: the label does not contain them.

    The features are labelled with family, fingerprint and layer of the encoder, or with those of
    the encoder whose features it was trained to give (``space`` of its card). A voice or an index
    that was made with another encoder refuses them.

    Sources: A. Gulati et al., "Conformer: convolution-augmented transformer for speech
    recognition", Interspeech 2020. Cached keys and values, and a right context that is computed
    again until it is past: Y. Shi et al., "Emformer: efficient memory transformer based
    acoustic model for low latency streaming speech recognition", ICASSP 2021, here with blocks of a
    single frame and without a memory bank.
    """

    examples = (
        {"weights": "encoder.safetensors", "context": "300ms"},
        {
            "weights": "encoder.safetensors",
            "layer": 1,
            "context": "110ms",
            "settle": "40ms",
            "lookahead": "10ms",
        },
    )

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """The file that ``examples`` name: a small encoder with random weights."""
        phonetic_example.write(folder / "encoder.safetensors")

    def ports(self, params: StreamingParams) -> Ports:
        """The ports of a phonetic encoder.

        Raises:
            PipelineError: if no file is named, it has no such layer, or ``lookahead`` exceeds
                ``settle``.
            WeightsError: if the file is no phonetic encoder, or its tensors are not what they
                should be.
        """
        if params.lookahead > params.settle:
            hears, settles = map(format_duration, (params.lookahead, params.settle))
            text = f"looks {hears} ahead, but after {settles} a frame is settled"
            where, most = f"nodes.{self.name or 'NAME'}.params", params.settle - _AFTER
            least = params.lookahead + _AFTER
            fix = f"{where}.lookahead: {format_duration(most)}\nor {where}.settle: "
            fix += format_duration(least)
            raise PipelineError(Problem("out-of-range", text, fix=fix))
        return super().ports(params)

    def needs(self, params: StreamingParams, out: Request) -> Requests:
        """The block, extended to the audio of its first step and by the look-ahead."""
        before = Fraction(BEFORE, RATE) - self._ahead(params) * _FRAME
        return {"audio": out.widen(max(before, Fraction(0)), params.lookahead)}

    def load(self, params: StreamingParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the network, once a process for each file, device and form."""
        ahead = self._ahead(params)
        self._stream = self._stream_of(self.shared_network(params, device, dtype), params)
        # The first frames lie before the stream by the look-ahead of this and of other nodes.
        start = self.asked["content"].interval.start
        self._first = int((start + self.block) * FRAMES_HZ) + ahead
        begin = self.given["audio"].index(start + ahead * _FRAME - Fraction(BEFORE, RATE))
        count = BEFORE + AFTER + STEP * (self.asked["content"].count - 1)
        self._audio = slice(begin, begin + count)

    def _stream_of(
        self, network: PhoneticNetwork, params: StreamingParams, portable: bool = False
    ) -> PhoneticStream:
        return PhoneticStream(
            network,
            params.layer,
            past=frames_covering(params.context),
            settle=frames_covering(params.settle),
            ahead=self._ahead(params),
            portable=portable,
        )

    def _ahead(self, params: StreamingParams) -> int:
        """Frames from the output frame to the newest."""
        return int((params.lookahead - _AFTER) * FRAMES_HZ) + 1

    def state(self, params: StreamingParams, streams: int) -> PhoneticStreamState:
        """The state at the beginning of a stream."""
        return self._stream.begin(streams, self._first)

    def process(
        self, inputs: Tensors, params: StreamingParams, state: PhoneticStreamState
    ) -> Tensors:
        """One block: a step for each frame."""
        return {"content": self._stream(inputs["audio"][:, 0, self._audio], state)}

    def exports(self, params: StreamingParams) -> ExportedNetwork:
        """A block of steps, with the stream's state."""
        portable = self._stream_of(self.network_in(params, PORTABLE_FLOAT32), params, portable=True)
        given, state = self.given["audio"], self.state(params, 1)

        def step(inputs: Tensors, held: PhoneticStreamState) -> Tensors:
            return self.process(inputs, params, held)

        return ExportedNetwork(
            module=PortablePhoneticStream(portable, self._audio),
            inputs={"audio": fixed(given, "audio at 16 kHz, not normalised")},
            outputs={"content": fixed(self.asked["content"], "content features at 50 Hz")},
            example=lambda case: {"audio": spoken("audio", case, given)},
            reference=stream_reference(step, self.state(params, 1)),
            state=state.tensors(),
        )
