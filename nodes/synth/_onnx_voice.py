"""An RVC voice in an ONNX file: what it is fed, and which part of its audio is used."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voicegraph.graph import Problem
from voicegraph.graph.files.models import WeightsError
from voicegraph.graph.files.onnx_files.signatures import VoiceSignature
from voicegraph.nodes.layers.onnx_session import OnnxNetwork, draw
from voicegraph.nodes.synth.network import Window

_INSIDE = 0.66666
"""Factor of the prior's random numbers inside of every exported RVC voice."""
_CHANNELS = 192
"""Channels of the prior of every published RVC voice, where a file does not state them."""

Shapes = tuple[tuple[int, ...], ...]
Numbers = Callable[[str, int], np.ndarray]
"""Standard normal numbers of this tick and stream, by name and count."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Where the random numbers of one tick of one stream come from.

    Attributes:
        seed: of the pipeline.
        node: name of the node.
        stream: number of the stream.
        tick: its number.
        numbers: as ``synth.rvc`` draws them.
        prior: factor of those of the prior.
        source: factor of those of the sine source.
    """

    seed: int
    node: str
    stream: int
    tick: int
    numbers: Numbers
    prior: float
    source: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one stream speaks in one tick.

    Attributes:
        content: ``[1, frames, dim]`` float32.
        bins: of F0, int64 ``[1, frames]``; None for a voice without pitch.
        f0: of the source in Hz, ``[1, frames]``; None for a voice without pitch.
        speaker: its number.
        frames: the decoded frames are stretched to this number.
    """

    content: np.ndarray
    bins: np.ndarray | None
    f0: np.ndarray | None
    speaker: int
    frames: int


@dataclass(frozen=True, slots=True, eq=False)
class OnnxVoice:
    """A voice on one device, for windows of one size.

    Attributes:
        network: that runs it.
        signature: what its inputs are.
        window: which frames are used.
        frame: samples of a frame of 10 ms.
    """

    network: OnnxNetwork
    signature: VoiceSignature
    window: Window
    frame: int

    def decode(self, spoken: Spoken, drawn: Drawn) -> np.ndarray:
        """Audio of the used frames, ``[samples]`` float32; stretched ones if they are stretched.

        Raises:
            WeightsError: if the network refuses its inputs, or makes less audio than that.
        """
        feeds = self._feeds(spoken)
        optional = self.signature.noise in self.network.header.optional
        if not optional:
            feeds |= self._noise(spoken, drawn, ())
        shapes = self.network.drawn_shapes(feeds)
        if optional:
            feeds |= self._noise(spoken, drawn, shapes)
        for drawing, shape in zip(self.network.drawings, shapes, strict=True):
            count = math.prod(shape)
            factor = self._factor(shape, drawing.normal, spoken, drawn)
            if factor == 0:
                feeds[drawing.input] = np.zeros(count, np.float32)
                continue
            values = draw(drawing, drawn.seed, drawn.node, drawn.stream, drawn.tick, count)
            feeds[drawing.input] = values * np.float32(factor)
        made = self.network.run(feeds, [self.signature.audio])[0].reshape(-1)
        return self._used(made.astype(np.float32), spoken)

    def _feeds(self, spoken: Spoken) -> dict[str, np.ndarray]:
        signature, frames = self.signature, spoken.content.shape[1]
        found = {signature.content: spoken.content}
        pitches = {signature.pitch: spoken.bins, signature.pitchf: spoken.f0}
        found |= {name: x for name, x in pitches.items() if name is not None and x is not None}
        sizes = {
            signature.lengths: frames,
            signature.speaker: spoken.speaker,
            signature.skip: self.window.skip,
            signature.returned: self.window.count,
            signature.formant: spoken.frames,
        }
        found |= {name: self.network.full(name, n) for name, n in sizes.items() if name}
        return found | {name: self.network.full(name, 0.0) for name in signature.scales}

    def _noise(self, spoken: Spoken, drawn: Drawn, shapes: Shapes) -> dict[str, np.ndarray]:
        """Random numbers that are inputs of the file itself, the same as those of ``synth.rvc``."""
        signature, found = self.signature, dict[str, np.ndarray]()
        frames = spoken.content.shape[1]
        if signature.noise is not None:
            channels = self._channels(signature.noise, shapes)
            head, count = self.window.head, self.window.prior_frames(frames)
            values = np.zeros((1, channels, frames), np.float32)
            if drawn.prior:
                numbers = drawn.numbers("prior", channels * count).reshape(channels, count)
                values[0, :, head : head + count] = numbers * np.float32(drawn.prior)
            found[signature.noise] = values
        if signature.source_noise is not None:
            samples = self.window.count * self.frame  # stretched with the source, after it
            numbers = drawn.numbers("source", samples) if drawn.source else np.zeros(samples)
            found[signature.source_noise] = (numbers * drawn.source).astype(np.float32)[None]
        return found

    def _channels(self, name: str, shapes: Shapes) -> int:
        """Channels of the prior: stated, or those of what the file would draw itself."""
        header = self.network.header
        stated = (header.inputs.get(name) or header.optional[name]).axes
        size = stated[1] if stated is not None and len(stated) == 3 else None
        if isinstance(size, int) and size > 0:
            return size
        return next((shape[1] for shape in shapes if len(shape) == 3), _CHANNELS)

    def _factor(self, shape: tuple[int, ...], normal: bool, spoken: Spoken, drawn: Drawn) -> float:
        """Factor of random numbers that the file draws inside, by what they are for.

        Those of the prior are vectors over frames, and are scaled inside once more; those of the
        source are as long as the audio. Uniform ones are phases.
        """
        if self.signature.scales:
            return 0.0  # the file's own random numbers are switched off; its inputs are used
        if not normal:
            return 1.0
        is_prior = len(shape) == 3 and shape[1] > 1 and shape[2] <= spoken.content.shape[1]
        return drawn.prior / _INSIDE if is_prior else drawn.source

    def _used(self, audio: np.ndarray, spoken: Spoken) -> np.ndarray:
        """The decoded frames; a voice that decodes the whole window is cut."""
        wanted = spoken.frames * self.frame
        first = 0 if self.signature.skip else self.window.skip * self.frame
        if len(audio) < first + wanted:
            path, decoded = self.network.header.path, spoken.content.shape[1]
            text = (
                f"{path}: of {decoded} frames of 10 ms, of which {self.window.skip} are context, "
                f"it makes {len(audio)} samples; expected are {first + wanted} at "
                f"{self.frame * 100} Hz"
            )
            fix = f"nodes.NAME.params.rate: {_likely_rate(len(audio), first + wanted, self.frame)}"
            raise WeightsError(Problem("wrong-rate", text, fix=fix))
        return audio[first : first + wanted]


def _likely_rate(made: int, expected: int, frame: int) -> int:
    """The rate at which the audio that came would be as long as the frames."""
    return max(round(made / expected * frame), 1) * 100
