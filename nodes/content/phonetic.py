"""``content.phonetic``: what is said, by a small network that was trained to name phones."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import torch
from pydantic import Field

from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.graph.intervals import Request
from voicegraph.graph.node import FilePath, NodeParams, Requests, Tensors
from voicegraph.graph.ports import Out, Ports
from voicegraph.graph.registry import register
from voicegraph.graph.signals import Features
from voicegraph.graph.weights import shared_file
from voicegraph.nodes.content import phonetic_example
from voicegraph.nodes.content.encoder import RATE, ContentEncoder
from voicegraph.nodes.content.origin import given_by
from voicegraph.nodes.content.phonetic_file import NOUN, open_phonetic, read_network
from voicegraph.nodes.content.phonetic_windows import FRAMES_HZ, frames_of
from voicegraph.schemas.phonetic_card import LAYER
from voicegraph.schemas.quantities import Duration, parse_duration


@register("content.phonetic")
class Phonetic(ContentEncoder):
    """Content features by a Conformer on a sliding window, each frame made once.

    audio ``[streams, 1, samples]`` at 16 kHz, not normalised -> a stream of ``content``
    ``[streams, frames, dim]`` at 50 Hz, 144 wide from the encoder that comes with voicegraph.
    Frame ``k`` of a block is centred at the block's start + 20 ms * k, as F0 frames are; 22.5 ms on
    either side make its input, attention brings the rest of the window, which reaches from
    ``context`` before the block to ``lookahead`` after it. So the last frame of a block hears 20 ms
    + ``lookahead`` beyond its own centre, and the first a block more: longer blocks are a little
    better, and seams are those of the features alone. Nothing is kept from one block to the next.
    Before the stream begins there is silence.

    What is computed is the whole window at each tick: shorter contexts cost less and agree less
    with the features of the whole file. After 2 s and 100 ms that is a cosine of 0.96 on average;
    see ``docs/default-voice.md``.

    The features are labelled with family, fingerprint and layer of the encoder: a voice or an index
    of another one refuses them.

    Source: A. Gulati et al., "Conformer: convolution-augmented transformer for speech recognition",
    Interspeech 2020.
    """

    class Params(NodeParams):
        """Params of ``content.phonetic``."""

        weights: FilePath | None = None
        """The encoder, a `.safetensors` file. By default the pipeline's `assets.phonetic`."""
        layer: int = Field(LAYER, ge=1, le=64)
        """The block after which the features are taken; later ones are not computed. Voices and
        indexes go with one."""
        context: Duration = Field(parse_duration("2s"), ge=Fraction(1, 10), le=30)
        """Audio heard before each block; rounded up to 20 ms."""
        lookahead: Duration = Field(parse_duration("100ms"), ge=0, le=2)
        """Audio heard after each block; this is latency."""

    chunking = "windowed"
    pure = True
    examples = (
        {"weights": "encoder.safetensors", "context": "300ms"},
        {"weights": "encoder.safetensors", "layer": 1, "context": "110ms", "lookahead": "0ms"},
    )

    content = Out(Features, rate=FRAMES_HZ, doc="what is said, apart from who says it")

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """The file that ``examples`` name: a small encoder with random weights."""
        phonetic_example.write(folder / "encoder.safetensors")

    def ports(self, params: Params) -> Ports:
        """Width from the file's header, and which encoder it is from six small tensors.

        Raises:
            PipelineError: if no file is named, or it has no such layer.
            WeightsError: if the file is no phonetic encoder, or its tensors are not what they
                should be.
        """
        if params.weights is None:
            text = f"needs the file of {NOUN}, and none is given"
            fix = "--set assets.phonetic=PATH\nor in the file  assets: {phonetic: PATH}"
            raise PipelineError(Problem("missing-weights", text, fix=fix))
        archive, card = open_phonetic(params.weights)
        if params.layer > card.blocks:
            text = f"{params.weights} has {card.blocks} blocks, and not layer {params.layer}"
            fix = f"nodes.{self.name or 'NAME'}.params.layer: {card.blocks}"
            raise PipelineError(Problem("wrong-encoder", text, fix=fix))
        origin = given_by(card.identity(params.layer), archive.path)
        content = replace(type(self).content, dim=card.hidden, origin=origin)
        self.archive = archive
        return Ports(self.declared.inputs, {"content": content})

    def needs(self, params: Params, out: Request) -> Requests:
        """The audio of the block, with context before and after it."""
        before = Fraction(frames_of(params.context), FRAMES_HZ)
        return {"audio": out.widen(before=before, after=params.lookahead)}

    def load(self, params: Params, device: torch.device, dtype: torch.dtype) -> None:
        """Brings the network, one a process for each file, device and precision."""
        self.network = shared_file(
            self.use,
            self.archive.file,
            lambda: read_network(self.archive, device, dtype),
            str(device),
            dtype,
        )

    def process(self, inputs: Tensors, params: Params, state: None) -> Tensors:
        """One tick: every stream's whole window, of which the newest frames are kept."""
        asked, before = self.asked["content"], frames_of(params.context)
        span = asked.interval.widen(Fraction(before, FRAMES_HZ), params.lookahead)
        start = self.given["audio"].index(span.start)
        audio = inputs["audio"][:, 0, start : start + int(span.duration * RATE)]
        return {"content": self.network(audio, params.layer, before, asked.count)}
