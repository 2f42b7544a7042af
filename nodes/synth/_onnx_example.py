"""Small voices as ONNX files, for tests: random weights, the names of several programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph import random
from voicegraph.graph.files.onnx_files import builder

WIDTH, CHANNELS, FRAME, SPEAKERS = 8, 4, 160, 3
RATE = 100 * FRAME
_BINS = 256

EXAMPLES: tuple[Mapping[str, Any], ...] = (
    {"checkpoint": "w-okada.onnx", "extra": "100ms", "speaker": 2},
    {"checkpoint": "deiteris.onnx", "extra": "300ms", "formant": 1.7, "source_noise": 0.5},
    {"checkpoint": "webui.onnx", "extra": "55ms"},
    {"checkpoint": "plain.onnx", "extra": 0, "noise_scale": 0.0, "source_noise": 0.0},
)


@dataclass(frozen=True)
class Naming:
    """How a program names the inputs of a voice, and which it has.

    Attributes:
        content: of the features.
        lengths: of the number of frames.
        speaker: of the speaker's number.
        pitch: whether there is pitch.
        trimmed: whether it takes ``skip_head``, ``return_length`` and ``formant_length``.
        noise: whether the random numbers of the prior are an input ``rnd``.
        width: of the features.
    """

    content: str = "feats"
    lengths: str = "p_len"
    speaker: str = "sid"
    pitch: bool = True
    trimmed: bool = False
    noise: bool = False
    width: int = WIDTH


WOKADA = Naming()
DEITERIS = Naming(trimmed=True)
WEBUI = Naming("phone", "phone_lengths", "ds", noise=True)
PLAIN = Naming(pitch=False)


class _Network:
    """Operators and constants of a voice that is being written."""

    def __init__(self) -> None:
        self.operators: list[bytes] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds an operator; returns its output."""
        self.operators.append(builder.operator(op, inputs, [output], attributes))
        return output

    def weight(self, name: str, *shape: int) -> str:
        """Adds random weights."""
        drawn = random.normal(1, name, 0, 0, int(np.prod(shape)))
        self.constants[name] = drawn.reshape(shape) / 3
        return name

    def constant(self, name: str, value: Any, dtype: type = np.float32) -> str:
        """Adds a constant."""
        self.constants[name] = np.array(value, dtype)
        return name


def voice(naming: Naming, metadata: Mapping[str, Any] | None = None, opset: int = 17) -> bytes:
    """A voice of one layer: content, pitch and speaker to latents, random ones around them.

    Args:
        naming: of its inputs.
        metadata: as w-okada's exporter writes them, under the key ``metadata``.
        opset: version of ONNX's operators.
    """
    made = _Network()
    latents = made.add(
        "MatMul", [naming.content, made.weight("emb", naming.width, CHANNELS)], "phones"
    )
    speaker = made.weight("emb_g.weight", SPEAKERS, CHANNELS)
    latents = made.add(
        "Add", [latents, made.add("Gather", [speaker, naming.speaker], "voice")], "mean"
    )
    if naming.pitch:
        table = made.weight("emb_pitch", _BINS, CHANNELS)
        latents = made.add("Add", [latents, made.add("Gather", [table, "pitch"], "tone")], "both")
    prior = made.add("Transpose", [latents], "prior", perm=[0, 2, 1])
    noise = "rnd"
    if not naming.noise:
        drawn = made.add("RandomNormalLike", [prior], "drawn", dtype=1)
        noise = made.add("Mul", [drawn, made.constant("inside", 0.66666)], "scaled")
    quiet = made.add("Mul", [noise, made.constant("spread", 0.1)], "quiet")
    z = made.add("Add", [prior, quiet], "z")
    if naming.trimmed:
        z = _trim(made, z, "z_used", 2)
    weight = made.weight("dec.weight", CHANNELS, 1, FRAME)
    audio = made.add("ConvTranspose", [z, weight], "decoded", strides=[FRAME])
    if naming.pitch:
        audio = made.add("Add", [audio, _source(made, naming)], "sounding")
    made.add("Tanh", [audio], "audio")
    texts = {} if metadata is None else {"metadata": json.dumps(metadata)}
    return builder.model(_graph(made, naming), texts, opset)


def _trim(made: _Network, values: str, name: str, axis: int) -> str:
    """The frames that are used, stretched to the length of a formant shift."""
    one = made.constant("one", [1], np.int64)
    start = made.add("Reshape", ["skip_head", one], f"{name}.start")
    count = made.add("Reshape", ["return_length", one], f"{name}.count")
    end = made.add("Add", [start, count], f"{name}.end")
    axes = made.constant(f"{name}.axes", [axis], np.int64)
    cut = made.add("Slice", [values, start, end, axes], f"{name}.cut")
    size = made.add("Shape", [cut], f"{name}.size", start=0, end=2)
    frames = made.add("Reshape", ["formant_length", one], f"{name}.frames")
    sizes = made.add("Concat", [size, frames], f"{name}.sizes", axis=0)
    return made.add("Resize", [cut, "", "", sizes], name, mode="linear")


def _source(made: _Network, naming: Naming) -> str:
    """Something that swings with F0, and noise: ``[1, 1, samples]``."""
    hertz = made.add("Unsqueeze", ["pitchf", made.constant("front", [1], np.int64)], "hertz")
    if naming.trimmed:
        hertz = _trim(made, hertz, "hertz_used", 2)
    columns = made.add("Transpose", [hertz], "columns", perm=[0, 2, 1])
    ramp = made.constant("ramp", np.linspace(0, 1, FRAME)[None])
    turns = made.add("MatMul", [columns, ramp], "turns")
    flat = made.add("Reshape", [turns, made.constant("flat", [1, 1, -1], np.int64)], "phase")
    wave = made.add("Sin", [flat], "wave")
    noise = made.add("RandomNormalLike", [wave], "hiss", dtype=1, scale=0.1)
    return made.add("Add", [wave, noise], "source")


def _graph(made: _Network, naming: Naming) -> bytes:
    inputs = [
        builder.value(naming.content, "float32", [1, "frames", naming.width]),
        builder.value(naming.lengths, "int64", [1]),
        builder.value(naming.speaker, "int64", [1]),
    ]
    if naming.pitch:
        inputs.append(builder.value("pitch", "int64", [1, "frames"]))
        inputs.append(builder.value("pitchf", "float32", [1, "frames"]))
    if naming.noise:
        inputs.append(builder.value("rnd", "float32", [1, CHANNELS, "frames"]))
    if naming.trimmed:
        names = ("skip_head", "return_length", "formant_length")
        inputs += [builder.value(name, "int64", []) for name in names]
    outputs = [builder.value("audio", "float32", [1, 1, "samples"])]
    return builder.graph(made.operators, inputs, outputs, made.constants)


def write(folder: Path) -> None:
    """One voice for each naming."""
    stated = {"version": "2.1", "samplingRate": RATE, "f0": True, "embChannels": WIDTH}
    for name, naming in {"deiteris": DEITERIS, "webui": WEBUI, "plain": PLAIN}.items():
        (folder / f"{name}.onnx").write_bytes(voice(naming))
    (folder / "w-okada.onnx").write_bytes(voice(WOKADA, stated))
