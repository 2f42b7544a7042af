"""Small encoders as ONNX files, for tests: random weights, the names of several programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from voicegraph.graph import random
from voicegraph.graph.files.onnx_files import builder

_FIELD, _HOP = 400, 320


def encoder(
    source: str,
    widths: Mapping[str, int],
    *,
    channels: bool = False,
    half: bool = False,
    samples: int | str = "samples",
) -> bytes:
    """An encoder of one convolution for each output.

    Args:
        source: name of the input.
        widths: width of each output by its name.
        channels: whether the input has an axis of channels.
        half: in float16.
        samples: the length of the input, which varies unless it is a number.
    """
    dtype = "float16" if half else "float32"
    operators, constants = list[bytes](), dict[str, np.ndarray]()
    audio = source
    if not channels:
        constants["axis"] = np.array([1])
        operators.append(builder.operator("Unsqueeze", [source, "axis"], ["samples"]))
        audio = "samples"
    for name, width in widths.items():
        drawn = random.normal(1, name, 0, 0, width * _FIELD).reshape(width, 1, _FIELD)
        constants[f"{name}.weight"] = (drawn / 20).astype(dtype)
        strides = {"strides": [_HOP]}
        operators.append(
            builder.operator("Conv", [audio, f"{name}.weight"], [f"{name}.made"], strides)
        )
        operators.append(
            builder.operator("Transpose", [f"{name}.made"], [name], {"perm": [0, 2, 1]})
        )
    shape = [1, 1, samples] if channels else [1, samples]
    graph = builder.graph(
        operators,
        [builder.value(source, dtype, shape)],
        [builder.value(name, dtype, [1, "frames", width]) for name, width in widths.items()],
        constants,
    )
    return builder.model(graph)


def write(folder: Path) -> None:
    """``contentvec-f.onnx`` as w-okada's voice changer has it, ``vec-768-layer-12.onnx`` as RVC."""
    named = {"units9": 4, "unit12": 6, "unit12s": 4}
    (folder / "contentvec-f.onnx").write_bytes(encoder("audio", named))
    vectors = encoder("source", {"embed": 5}, channels=True)
    (folder / "vec-768-layer-12.onnx").write_bytes(vectors)
