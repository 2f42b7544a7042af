"""``content.phonetic``: content features by a small phone recogniser, on sliding windows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import torch
from pydantic import Field

from voicegraph.graph import Duration, Request, Requests, Tensors, parse_duration, register
from voicegraph.nodes.content import _phonetic_example as phonetic_example
from voicegraph.nodes.content._phonetic_encoder import PhoneticEncoder, PhoneticEncoderParams
from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_frames import FRAMES_HZ, frames_covering


class PhoneticParams(PhoneticEncoderParams):
    """Params of ``content.phonetic``."""

    context: Duration = Field(parse_duration("2s"), ge=Fraction(1, 10), le=30)
    """Audio context before each block; rounded up to 20 ms."""
    lookahead: Duration = Field(parse_duration("100ms"), ge=0, le=2)
    """Audio context after each block; this is latency."""


@register("content.phonetic")
class Phonetic(PhoneticEncoder[PhoneticParams, None]):
    """Content features by a Conformer on a sliding window, each frame computed once.

    audio ``[streams, 1, samples]`` at 16 kHz, not normalised -> a stream of ``content``
    ``[streams, frames, dim]`` at 50 Hz, 144 wide from the encoder that comes with voicegraph.
    Frame ``k`` of a block is centred at the block's start + 20 ms * k, as F0 frames are; 22.5 ms on
    either side are its input; attention adds the rest of the window, which reaches from ``context``
    before the block to ``lookahead`` after it. So the look-ahead of the last frame of a block is
    20 ms + ``lookahead``, and that of the first one block more: longer blocks are a little better.
    There is no state from block to block. Before the stream begins there is silence.

    The whole window is computed at each tick. Shorter contexts cost less, but agree less with the
    features of the whole file. ``content.streaming`` runs the same files as a stream.

    The features are labelled with family, fingerprint and layer of the encoder, or with those of
    the encoder whose features it was trained to give (``space`` of its card). A voice or an index
    that was made with another encoder refuses them.

    Source: A. Gulati et al., "Conformer: convolution-augmented transformer for speech recognition",
    Interspeech 2020.
    """

    chunking = "windowed"
    pure = True
    examples = (
        {"weights": "encoder.safetensors", "context": "300ms"},
        {"weights": "encoder.safetensors", "layer": 1, "context": "110ms", "lookahead": "0ms"},
    )

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """The file that ``examples`` name: a small encoder with random weights."""
        phonetic_example.write(folder / "encoder.safetensors")

    def needs(self, params: PhoneticParams, out: Request) -> Requests:
        """The audio of the block, with context before and after it."""
        before = Fraction(frames_covering(params.context), FRAMES_HZ)
        return {"audio": out.widen(before=before, after=params.lookahead)}

    def prepare(self, params: PhoneticParams) -> None:
        """Computes which samples are the network's input."""
        self._before = frames_covering(params.context)
        before = Fraction(self._before, FRAMES_HZ)
        span = self.asked["content"].interval.widen(before, params.lookahead)
        start = self.given["audio"].index(span.start)
        self._audio = slice(start, start + int(span.duration * RATE))

    def load(self, params: PhoneticParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the network, once a process for each file, device and form."""
        self.network = self.shared_network(params, device, dtype)

    def process(self, inputs: Tensors, params: PhoneticParams, state: None) -> Tensors:
        """One tick: the whole window of each stream; the newest frames are the output."""
        audio, count = inputs["audio"][:, 0, self._audio], self.asked["content"].count
        return {"content": self.network(audio, params.layer, self._before, count)}
