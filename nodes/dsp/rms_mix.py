"""``dsp.rms_mix``: applies the loudness envelope of one signal to another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    PortSpec,
    Request,
    Requests,
    State,
    Tensors,
    register,
)
from voicegraph.nodes.dsp._level_grid import STEP, WINDOW_STEPS, Grid, mean_squares, step_overhang
from voicegraph.nodes.dsp.param_glide import at_rest, glide

_HALF = WINDOW_STEPS // 2
_FLOOR = 1e-3
"""Lower limit of the output's RMS (-60 dB), so that silence is not amplified."""


@dataclass
class RmsMixState(State):
    """State, each ``[streams]``.

    Attributes:
        position: int64, index of the next output sample in the stream.
        mix: float64, the mix in force after the newest sample.
    """

    position: torch.Tensor
    mix: torch.Tensor


class RmsMixParams(NodeParams):
    """Params of ``dsp.rms_mix``."""

    mix: Live[float] = Field(0.0, ge=0, le=1)
    """1 keeps the loudness of ``audio``, 0 applies that of ``reference``."""


@register("dsp.rms_mix")
class RmsMix(Node[RmsMixParams, RmsMixState]):
    """Moves the loudness envelope of ``audio`` towards that of ``reference``.

    audio, reference ``[streams, channels, samples]`` -> out, the type of audio; the reference may
    have another rate and other channels. The gain is
    ``(rms(reference) / max(rms(audio), 1e-3)) ^ (1 - mix)``. Both RMS values are measured
    over 40 ms and all channels, centred on every 10 ms of the stream, and interpolated linearly, as
    in RVC's loudness mixing. The latency is 20 ms, and up to 10 ms more if the block is not a
    multiple of 10 ms.
    """

    examples = ({}, {"mix": 0.4}, {"mix": 1.0})

    audio = In(Audio, doc="the signal whose level is changed, such as converted speech")
    reference = In(Audio, doc="the signal with the wanted loudness, such as the input")
    out = Out(Audio, like="audio")

    def needs(self, params: RmsMixParams, out: Request) -> Requests:
        """A step and half a window on both sides; after it, a step only if blocks split steps."""
        ahead = _HALF * STEP + step_overhang(self.block, out.end)
        return dict.fromkeys(("audio", "reference"), out.widen((_HALF + 1) * STEP, ahead))

    def state(self, params: RmsMixParams, streams: int) -> RmsMixState:
        """Starts at the param's value."""
        first = int(self.asked["out"].interval.end * self.asked["out"].rate)
        mix = torch.full((streams,), params.mix, dtype=torch.float64)
        return RmsMixState(torch.full((streams,), first), mix)

    def load(self, params: RmsMixParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes sizes in samples."""
        asked = self.asked["out"]
        self._start = self.given["audio"].index(asked.interval.start)
        self._count, self._rate = asked.count, float(asked.rate)
        self._places = {port: _place(given, asked) for port, given in self.given.items()}
        self._grids = {port: Grid.at(spec.rate) for port, spec in self.given.items()}
        # After this many steps of 10 ms, all grids have the same phase again.
        self._cycle = math.lcm(*(grid.denominator for grid in self._grids.values()))

    def process(self, inputs: Tensors, params: RmsMixParams, state: RmsMixState) -> Tensors:
        """One block."""
        position = state.position.clone()
        state.position += self._count
        block = inputs["audio"][:, :, self._start : self._start + self._count]
        resting = at_rest(state.mix, params.mix)
        if resting and params.mix == 1.0:
            return {"out": block}
        arrays = {port: tensor.numpy() for port, tensor in inputs.items()}
        gain = self._grids["audio"].by_phase(
            position,
            lambda phase, rows: self._ratio({p: a[rows] for p, a in arrays.items()}, phase),
            self._cycle,
        )
        if not resting:
            mix = glide(state.mix, params.mix, self._rate, self._count)
            gain = torch.pow(gain, 1 - mix)
        elif params.mix:
            gain = torch.pow(gain, 1 - params.mix)
        return {"out": block * gain[:, None].to(block.dtype)}

    def _ratio(self, arrays: Mapping[str, np.ndarray], first: int) -> torch.Tensor:
        """RMS of the reference against that of the audio, ``[streams, samples]`` float64.

        Args:
            arrays: ``[streams, channels, samples]`` by port.
            first: position of the block's first sample in the output's stream.
        """
        low, high = self._grids["audio"].steps(first, self._count)
        edges = self._grids["audio"].edges(low, high)
        at = np.arange(first, first + self._count)

        def levels(port: str) -> np.ndarray:
            cuts = self._grids[port].edges(low - _HALF, high + _HALF)
            squares = mean_squares(arrays[port], cuts - self._position(port, first))
            return np.stack([np.interp(at, edges, row) for row in np.sqrt(squares)])

        return torch.from_numpy(levels("reference") / np.maximum(levels("audio"), _FLOOR))

    def _position(self, port: str, first: int) -> int:
        """Where the samples given to a port begin in their own stream."""
        step, begin, divisor = self._places[port]
        whole, rest = divmod(first * step + begin, divisor)
        return whole + (rest > 0 > whole)  # towards zero


def _place(given: PortSpec, asked: PortSpec) -> tuple[int, int, int]:
    """Position in an input's stream of the output's sample ``n``: ``(n * step + begin) / divisor``.

    All are whole numbers, so that no tick computes with fractions.
    """
    step = given.rate / asked.rate
    begin = (given.interval.start - asked.interval.start) * given.rate
    divisor = math.lcm(step.denominator, begin.denominator)
    return int(step * divisor), int(begin * divisor), divisor
