"""Small pitch models as ONNX files, for tests: the signatures of several programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph import random
from voicegraph.graph.files.onnx_files import builder

_MELS, _BINS, _HOP = 128, 360, 160

EXAMPLES: tuple[Mapping[str, Any], ...] = (
    {"weights": "salience.onnx"},
    {"weights": "waveform.onnx", "fill": False, "context": "50ms"},
    {"weights": "mel.onnx", "floor": 80.0},
    {"weights": "frames.onnx", "lookahead": "20ms", "threshold": 0.2},
)


def salience() -> bytes:
    """RVC's RMVPE: a mel spectrum to salience over bins."""
    drawn = random.normal(1, "salience", 0, 0, _MELS * _BINS).reshape(_MELS, _BINS)
    operators = [
        builder.operator("Transpose", ["input"], ["frames"], {"perm": [0, 2, 1]}),
        builder.operator("MatMul", ["frames", "weight"], ["levels"]),
        builder.operator("Sigmoid", ["levels"], ["output"]),
    ]
    graph = builder.graph(
        operators,
        [builder.value("input", "float32", [1, _MELS, "frames"])],
        [builder.value("output", "float32", [1, "frames", _BINS])],
        {"weight": drawn / 20},
    )
    return builder.model(graph)


def waveform() -> bytes:
    """w-okada's RMVPE: audio and a threshold to F0."""
    kernel = random.normal(1, "waveform", 0, 0, _HOP).reshape(1, 1, _HOP)
    constants = {"weight": kernel, "axis": np.array([1]), "pads": np.array([0, 0, 0, _HOP])}
    operators = [
        builder.operator("Pad", ["waveform", "pads"], ["padded"]),
        builder.operator("Unsqueeze", ["padded", "axis"], ["audio"]),
        builder.operator("Conv", ["audio", "weight"], ["made"], {"strides": [_HOP]}),
        builder.operator("Squeeze", ["made", "axis"], ["level"]),
    ]
    return _thresholded("waveform", [1, "samples"], operators, constants)


def mel() -> bytes:
    """Deiteris' RMVPE: a mel spectrum and a threshold to F0."""
    loudness = _loudness(1)
    return _thresholded("mel", [1, _MELS, "frames"], loudness, _QUIET)


def frames() -> bytes:
    """Deiteris' FCPE: frames of a mel spectrum and a threshold to F0."""
    loudness = _loudness(2)
    return _thresholded("mel", [1, "frames", _MELS], loudness, _QUIET)


_QUIET = {"quiet": np.full((), -6, np.float32)}
"""The mean of a logarithmic mel spectrum of speech, about."""


def _loudness(axis: int) -> list[bytes]:
    """The mean over the bands of ``mel``, above that of a quiet one: ``level``."""
    mean = {"axes": [axis], "keepdims": 0}
    return [
        builder.operator("ReduceMean", ["mel"], ["mean"], mean),
        builder.operator("Sub", ["mean", "quiet"], ["level"]),
    ]


def _thresholded(
    name: str, axes: list[int | str], operators: list[bytes], constants: Mapping[str, np.ndarray]
) -> bytes:
    """F0 of ``level`` ``[1, frames]``: from 100 to 300 Hz, 0 where its sigmoid is too low."""
    one = np.float32
    held = {**constants, "low": one(100).reshape(()), "range": one(200).reshape(())}
    held["zero"] = one(0).reshape(())
    finish = [
        builder.operator("Sigmoid", ["level"], ["share"]),
        builder.operator("Mul", ["share", "range"], ["above"]),
        builder.operator("Add", ["above", "low"], ["hertz"]),
        builder.operator("Greater", ["share", "threshold"], ["voiced"]),
        builder.operator("Where", ["voiced", "hertz", "zero"], ["pitchf"]),
    ]
    graph = builder.graph(
        [*operators, *finish],
        [builder.value(name, "float32", axes), builder.value("threshold", "float32", [1])],
        [builder.value("pitchf", "float32", [1, "frames"])],
        held,
    )
    return builder.model(graph)


_FILES: Mapping[str, Callable[[], bytes]] = {
    "salience.onnx": salience,
    "waveform.onnx": waveform,
    "mel.onnx": mel,
    "frames.onnx": frames,
}


def write(folder: Path) -> None:
    """One file for each signature."""
    for name, make in _FILES.items():
        (folder / name).write_bytes(make())
