"""``content.streaming``: what is said, by a phonetic encoder that remembers what it heard."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import torch
from pydantic import Field, field_validator

from voicegraph.graph import (
    Duration,
    PipelineError,
    Ports,
    Problem,
    Request,
    Requests,
    Tensors,
    format_duration,
    parse_duration,
    register,
)
from voicegraph.nodes.content import _phonetic_example as phonetic_example
from voicegraph.nodes.content._phonetic_encoder import PhoneticEncoder, PhoneticEncoderParams
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_frames import FRAMES_HZ, frames_covering
from voicegraph.nodes.content.phonetic_network import STEP
from voicegraph.nodes.content.phonetic_stream import (
    AFTER,
    BEFORE,
    PhoneticStream,
    PhoneticStreamState,
)

_FRAME = Fraction(1, FRAMES_HZ)
_AFTER = Fraction(AFTER, RATE)


class StreamingParams(PhoneticEncoderParams):
    """Params of ``content.streaming``."""

    context: Duration = Field(parse_duration("4s"), ge=_FRAME, le=30)
    """The past that attention hears in each block, up to the frames that may still change;
    rounded up to 20 ms."""
    settle: Duration = Field(parse_duration("200ms"), ge=_FRAME, le=2)
    """How long a frame may still change what later ones hear of it: whole frames of 20 ms."""
    lookahead: Duration = Field(parse_duration("50ms"), ge=0, le=2)
    """Audio heard after each block; this is latency. 10 ms more than whole frames of 20 ms,
    and less than `settle`."""

    @field_validator("settle")
    @classmethod
    def _whole_frames(cls, settle: Duration) -> Duration:
        frames = settle * FRAMES_HZ
        if frames.denominator > 1:
            near = (format_duration((int(frames) + k) * _FRAME) for k in (0, 1))
            raise ValueError(f"expected whole frames of 20 ms, such as {' or '.join(near)}")
        return settle

    @field_validator("lookahead")
    @classmethod
    def _to_the_end_of_a_step(cls, lookahead: Duration) -> Duration:
        frames = (lookahead - _AFTER) * FRAMES_HZ
        if frames.denominator > 1 or frames < 0:
            near = {max(math.floor(frames) + k, 0) for k in (0, 1)}
            fitting = (format_duration(k * _FRAME + _AFTER) for k in sorted(near))
            text = "expected 10 ms and whole frames of 20 ms, such as"
            raise ValueError(f"{text} {' or '.join(fitting)}")
        return lookahead


@register("content.streaming")
class Streaming(PhoneticEncoder[StreamingParams, PhoneticStreamState]):
    """Content features by a Conformer that goes with the stream and remembers it.

    audio ``[streams, 1, samples]`` at 16 kHz, not normalised -> ``content`` ``[streams, frames,
    dim]`` at 50 Hz: a stream, as wide as the encoder. Frame ``k`` of a block is centred at the
    block's start + 20 ms * k, as F0 frames are.

    There is a step every 20 ms, however long the blocks. The newest frames, as many as ``settle``
    covers and one more, are computed anew at each: they hear each other in both directions, and
    ``context`` before them, of which keys, values and what the convolutions take are remembered. A
    frame is given once it has heard ``lookahead``, and counts for later ones as it was when it was
    settled. So a frame's look-ahead is the same wherever in a block it lies, and all it hears
    reaches further back with every block below it. Before the stream begins there are no frames,
    and the spectrum hears silence.

    The cost of a step hangs on ``settle``, and little on ``context``; steps of one block are
    computed together, so longer blocks cost less for each second.

    ``content.phonetic`` runs the same files on a sliding window of which nothing is remembered.
    The encoder that comes with voicegraph was trained for the defaults: on 24 readers that it never
    heard, its features agree with those that its teacher makes of whole utterances by a cosine of
    0.895, once means and spreads are made even. An encoder that was trained on whole files alone is
    used to a future that a stream does not have: the teacher itself reaches 0.834 here, and 0.892
    on a window of 2 s and 100 ms of look-ahead. A voice or an index goes with the ``settle``,
    ``lookahead`` and ``context`` that its features were made with: they are not in the label.

    The features are labelled with family, fingerprint and layer of the encoder: a voice or an index
    of another one refuses them.

    Sources: A. Gulati et al., "Conformer: convolution-augmented transformer for speech
    recognition", Interspeech 2020. Keys and values of the past remembered, and a right context that
    is computed anew until it is past: Y. Shi et al., "Emformer: efficient memory transformer based
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
        """As of every phonetic encoder.

        Raises:
            PipelineError: if no file is named, it has no such layer, or frames are to be given
                after they are settled.
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
        """From before the first step's frame, which is ``lookahead`` after that of the block."""
        before = Fraction(BEFORE, RATE) - self._ahead(params) * _FRAME
        return {"audio": out.widen(max(before, Fraction(0)), params.lookahead)}

    def load(self, params: StreamingParams, device: torch.device, dtype: torch.dtype) -> None:
        """Brings the network, one a process for each file, device and precision."""
        ahead = self._ahead(params)
        self._stream = PhoneticStream(
            self.shared_network(params, device, dtype),
            params.layer,
            past=frames_covering(params.context),
            settle=frames_covering(params.settle),
            ahead=ahead,
        )
        # The first frames lie before the stream by all that is looked ahead, here and elsewhere.
        start = self.asked["content"].interval.start
        self._first = int((start + self.block) * FRAMES_HZ) + ahead
        self._start = start + ahead * _FRAME - Fraction(BEFORE, RATE)

    def _ahead(self, params: StreamingParams) -> int:
        """Frames from one that is given to the newest."""
        return int((params.lookahead - _AFTER) * FRAMES_HZ) + 1

    def state(self, params: StreamingParams, streams: int) -> PhoneticStreamState:
        """Nothing heard yet."""
        return self._stream.begin(streams, self._first)

    def process(
        self, inputs: Tensors, params: StreamingParams, state: PhoneticStreamState
    ) -> Tensors:
        """One block: a step for each frame."""
        count = BEFORE + AFTER + STEP * (self.asked["content"].count - 1)
        first = self.given["audio"].index(self._start)
        return {"content": self._stream(inputs["audio"][:, 0, first : first + count], state)}
