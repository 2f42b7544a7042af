"""``io.noise``: white noise, the same in every run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np
from pydantic import Field

from voicegraph.graph import Audio, Decibels, NodeParams, Out, Ports, Rate, random, register
from voicegraph.nodes.io._source import Source


class NoiseParams(NodeParams):
    """Params of ``io.noise``."""

    rate: Rate = Fraction(48000)
    """Samples a second, in Hz."""
    channels: int = Field(1, ge=1, le=64)
    """Number of channels; they are independent."""
    level: Decibels = Field(-20.0, ge=-120, le=0)
    """RMS level in dB below full scale (amplitude 1)."""


@register("io.noise")
class Noise(Source[NoiseParams]):
    """White Gaussian noise: nothing -> ``out`` audio ``[streams, channels, samples]``.

    Sample ``n`` of a channel is a function of the pipeline's seed, the node's name, the stream and
    ``n`` alone (counter-based, see ``graph/random.py``), so it is the same in blocks of any size.
    """

    examples = ({"rate": 16000}, {"channels": 2, "level": -6.0})

    out = Out(Audio, doc="the noise; rate and channels as in the params")

    def ports(self, params: NoiseParams) -> Ports:
        """Rate and channels come from the params."""
        made = replace(type(self).out, rate=params.rate, channels=params.channels)
        return Ports(outputs={"out": made})

    def values(
        self, params: NoiseParams, stream: int, position: int, count: int
    ) -> Mapping[str, np.ndarray]:
        """``out`` ``[channels, count]``."""
        width = params.channels
        drawn = random.normal(self.seed, self.name, stream, position * width, count * width)
        gain = np.float32(10.0 ** (params.level / 20.0))
        return {"out": drawn.reshape(count, width).T * gain}
