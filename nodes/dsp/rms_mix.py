"""``dsp.rms_mix``: gives one sound the loudness of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph.intervals import Request
from voicegraph.graph.node import (
    Live,
    Node,
    NodeParams,
    Requests,
    State,
    Tensors,
)
from voicegraph.graph.ports import In, Out
from voicegraph.graph.registry import register
from voicegraph.graph.signals import Audio
from voicegraph.nodes.dsp.glide import at_rest, glide
from voicegraph.nodes.dsp.steps import STEP, WINDOW_STEPS, Grid, mean_squares, reach

_HALF = WINDOW_STEPS // 2
_FLOOR = 1e-3
"""The output's RMS counts as at least this (-60 dB), so that its silence is not blown up."""


@dataclass
class RmsMixState(State):
    """What is remembered, each ``[streams]``.

    Attributes:
        position: int64, of the next output sample in the stream.
        mix: float64, the mix in force after the newest sample.
    """

    position: torch.Tensor
    mix: torch.Tensor


@register("dsp.rms_mix")
class RmsMix(Node):
    """Moves the loudness envelope of ``audio`` towards that of ``reference``.

    audio, reference ``[streams, channels, samples]`` -> out, same type. The gain is
    ``(rms(reference) / max(rms(audio), 1e-3)) ^ (1 - mix)``. Both RMS are taken over 40 ms, centred
    on every 10 ms of the stream, over all channels, and interpolated linearly to samples, as in
    RVC's loudness mixing. Latency is 20 ms, and up to 10 ms more for blocks that are no multiple of
    10 ms.
    """

    class Params(NodeParams):
        """Params of ``dsp.rms_mix``."""

        mix: Live[float] = Field(0.0, ge=0, le=1)
        """1 leaves the loudness of ``audio``, 0 imposes that of ``reference``."""

    examples = ({}, {"mix": 0.4}, {"mix": 1.0})

    audio = In(Audio, doc="what is made louder or quieter, such as converted speech")
    reference = In(Audio, like="audio", doc="what has the wanted loudness, such as the input")
    out = Out(Audio, like="audio")

    def needs(self, params: Params, out: Request) -> Requests:
        """A step and half a window on both sides; ahead, a step only where blocks cut steps."""
        ahead = _HALF * STEP + reach(self.block, out.end)
        return dict.fromkeys(("audio", "reference"), out.widen((_HALF + 1) * STEP, ahead))

    def state(self, params: Params, streams: int) -> RmsMixState:
        """Starts at the param's value."""
        first = int(self.asked["out"].interval.end * self.asked["out"].rate)
        mix = torch.full((streams,), params.mix, dtype=torch.float64)
        return RmsMixState(torch.full((streams,), first), mix)

    def load(self, params: Params, device: torch.device, dtype: torch.dtype) -> None:
        """Notes sizes in samples."""
        asked = self.asked["out"]
        self._start = self.given["audio"].index(asked.interval.start)
        self._count = asked.count
        self._grid = Grid.at(asked.rate)

    def process(self, inputs: Tensors, params: Params, state: RmsMixState) -> Tensors:
        """One block."""
        position = state.position.clone()
        state.position += self._count
        block = inputs["audio"][:, :, self._start : self._start + self._count]
        resting = at_rest(state.mix, params.mix)
        if resting and params.mix == 1.0:
            return {"out": block}
        both = torch.stack((inputs["reference"], inputs["audio"])).numpy()
        gain = self._grid.by_phase(position, lambda phase, rows: self._ratio(both[:, rows], phase))
        if not resting:
            mix = glide(state.mix, params.mix, self.asked["out"].rate, self._count)
            gain = torch.pow(gain, 1 - mix)
        elif params.mix:
            gain = torch.pow(gain, 1 - params.mix)
        return {"out": block * gain[:, None].to(block.dtype)}

    def _ratio(self, both: np.ndarray, first: int) -> torch.Tensor:
        """RMS of the reference against that of the audio, ``[streams, samples]`` float64.

        Args:
            both: ``[2, streams, channels, samples]``: the reference, the audio.
            first: position of the block's first sample in the stream.
        """
        steps = self._grid.edges(first, self._count, _HALF, _HALF)
        joined = both.reshape(-1, *both.shape[2:])
        rms = np.sqrt(mean_squares(joined, steps - first + self._start))
        at = np.arange(first, first + self._count)
        levels = np.stack([np.interp(at, steps[_HALF:-_HALF], row) for row in rms])
        streams = both.shape[1]
        return torch.from_numpy(levels[:streams] / np.maximum(levels[streams:], _FLOOR))
