"""``io.probe``: measures audio that passes unchanged, and optionally writes it to a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from pydantic import field_validator

from voicegraph.graph import (
    Audio,
    Features,
    In,
    Node,
    NodeParams,
    Out,
    OutputPath,
    Ports,
    Tensors,
    register,
)

_FLOOR_DB = -120.0
"""Level of digital silence."""
_ENDINGS = (".wav", ".w64")


class ProbeParams(NodeParams):
    """Params of ``io.probe``."""

    file: OutputPath | None = None
    """Output file: a new ``.wav``, or a ``.w64`` for more than 4 GiB (6 hours of mono at 48 kHz).
    An existing file is not replaced; null writes nothing."""

    @field_validator("file")
    @classmethod
    def _known_ending(cls, file: Path | None) -> Path | None:
        if file is not None and file.suffix.lower() not in _ENDINGS:
            raise ValueError(f"expected a file name that ends in {' or '.join(_ENDINGS)}")
        return file


@register("io.probe")
class Probe(Node[ProbeParams, None]):
    """A level meter: audio -> ``out``, the same samples bit for bit, and ``level``.

    Put it between two nodes: a node from which nothing reaches the output is left out of the plan.
    ``level`` is one frame a block, ``[streams, 1, 2]``: RMS over all channels and sample peak of
    the block, in dB below full scale (amplitude 1), -120 in silence. Read it with a tap.

    If ``file`` is set, the session writes the audio to a 32-bit float sound file, from the first
    block after the warm-up until the session is closed, without latency compensation. Several
    streams become channels, one stream after the other. For pitch and features use taps.
    """

    devices = ("cpu", "cuda")

    audio = In(Audio)
    out = Out(Audio, like="audio", doc="the input, unchanged")
    level = Out(Features, dim=2, doc="RMS and peak of each block, in dB")

    def ports(self, params: ProbeParams) -> Ports:
        """One level a block."""
        level = replace(type(self).level, rate=1 / self.block)
        return Ports({"audio": type(self).audio}, {"out": type(self).out, "level": level})

    def keeps(self, params: ProbeParams) -> Mapping[str, Path]:
        """The output, if a file is named."""
        return {} if params.file is None else {"out": params.file}

    def process(self, inputs: Tensors, params: ProbeParams, state: None) -> Tensors:
        """One block."""
        audio = inputs["audio"]
        rms = audio.square().mean((1, 2)).sqrt()
        level = torch.stack((rms, audio.abs().amax((1, 2))), 1)
        floor = 10.0 ** (_FLOOR_DB / 20.0)
        return {"out": audio, "level": 20.0 * level.clamp(min=floor).log10()[:, None]}
