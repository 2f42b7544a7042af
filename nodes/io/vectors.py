"""``io.vectors``: smooth random features, the same in every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
from pydantic import Field

from voicegraph.graph import Features, NodeParams, Out, Ports, Rate, random, register
from voicegraph.nodes.io._source import Source, grid

_POINTS_HZ = 20
"""Random points a second: speech features change about that fast."""


class VectorsParams(NodeParams):
    """Params of ``io.vectors``."""

    rate: Rate = Fraction(50)
    """Frames a second, in Hz."""
    dim: int = Field(768, ge=1, le=4096)
    """Values a frame."""


@register("io.vectors")
class Vectors(Source[VectorsParams]):
    """Smooth random features: nothing -> ``out`` features ``[streams, frames, dim]``.

    Standard normal values every 50 ms with a raised cosine between them; frame ``n`` is a function
    of the pipeline's seed, the node's name, the stream and ``n`` alone.
    """

    examples = ({"rate": 100, "dim": 8}, {"rate": 50, "dim": 3})

    out = Out(Features, doc="the features; rate and dim as in the params")

    def ports(self, params: VectorsParams) -> Ports:
        """Rate and width come from the params."""
        return Ports(outputs={"out": replace(type(self).out, rate=params.rate, dim=params.dim)})

    def prepare(self, params: VectorsParams) -> None:
        """Computes the cells of the grid from value to value."""
        self._step = _POINTS_HZ / params.rate

    def values(
        self, params: VectorsParams, stream: int, position: int, count: int
    ) -> Mapping[str, np.ndarray]:
        """``out`` ``[count, dim]``."""
        cells, into = grid(position, count, self._step)
        first, points = int(cells[0]), int(cells[-1] - cells[0]) + 2
        start, size = first * params.dim, points * params.dim
        drawn = random.normal(self.seed, self.name, stream, start, size).reshape(points, -1)
        weight = (0.5 - 0.5 * np.cos(np.pi * into)).astype(np.float32)[:, None]
        before, after = drawn[cells - first], drawn[cells - first + 1]
        return {"out": before + weight * (after - before)}
