"""``dsp.gate``: a noise gate."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Decibels,
    Duration,
    In,
    Live,
    Node,
    NodeParams,
    Out,
    Request,
    Requests,
    State,
    Tensors,
    parse_duration,
    register,
)
from voicegraph.nodes.dsp._level_grid import STEP, WINDOW_STEPS, Grid, mean_squares, step_overhang


@dataclass(frozen=True, slots=True)
class Sizes:
    """Times of the smooth gate in samples."""

    hold: int
    attack: int
    release: int
    lookahead: int
    window: int


@dataclass
class SmoothState(State):
    """What the smooth gate remembers, each ``[streams]``.

    Attributes:
        open: bool, whether it opens or is open.
        quiet: int64, samples since the level was last at the closing threshold, at most the hold.
        gain: float64, the factor in force after the newest sample.
    """

    open: torch.Tensor
    quiet: torch.Tensor
    gain: torch.Tensor


@dataclass
class HardState(State):
    """``position`` ``[streams]`` int64: of the next output sample in the stream."""

    position: torch.Tensor


class GateParams(NodeParams):
    """Params of ``dsp.gate``."""

    threshold: Live[Decibels] = Field(-60.0, ge=-120, le=0)
    """RMS level in dB above which the gate opens."""
    mode: Literal["smooth", "hard"] = "smooth"
    """``smooth`` has ramps, hysteresis and hold; ``hard`` uses ``threshold`` alone."""
    hysteresis: Decibels = Field(6.0, ge=0, le=60)
    """How far below the threshold the level must fall for the gate to close."""
    hold: Duration = Field(parse_duration("100ms"), ge=0, le=10)
    """How long the level must stay below that before the gate closes."""
    attack: Duration = Field(parse_duration("5ms"), ge=0, le=1)
    """Time from closed to open."""
    release: Duration = Field(parse_duration("50ms"), ge=0, le=10)
    """Time from open to closed."""
    lookahead: Duration = Field(parse_duration("0ms"), ge=0, le=1)
    """How long before the sound the gate begins to open. It is latency, and keeps soft onsets."""
    window: Duration = Field(parse_duration("40ms"), ge=Fraction(1, 1000), le=1)
    """Length of the window over which the level is measured."""


@register("dsp.gate")
class Gate(Node[GateParams, SmoothState | HardState]):
    """Passes audio while its level is above a threshold, and silences it otherwise.

    audio ``[streams, channels, samples]`` -> out, same type. Levels are RMS in dB relative to 1,
    over all channels; all channels of a stream open and close together.

    ``smooth``: the level is taken over the newest ``window`` at every sample. The gate opens when
    it exceeds the threshold, and closes once it has stayed more than ``hysteresis`` below the
    threshold for ``hold``. The gain changes linearly over ``attack`` and ``release``. With
    ``lookahead`` the gate opens that much before the sound, which is delayed by that time. See U.
    Zölzer (ed.), "DAFX: Digital Audio Effects", 2nd ed. 2011, section 4.2.

    ``hard``: the response threshold of RVC. Each step of 10 ms, counted from the beginning of the
    stream, is set to zero if the RMS over the 40 ms up to its end is below the threshold. It needs
    complete steps: blocks that are not multiples of 10 ms add a latency of less than 10 ms.
    """

    examples = (
        {"threshold": -30.0},
        {"threshold": -30.0, "hold": "0ms", "lookahead": "12ms", "attack": "12ms", "window": "5ms"},
        {"threshold": -25.0, "mode": "hard"},
    )

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def needs(self, params: GateParams, out: Request) -> Requests:
        """Before the block the level window; after it the look-ahead or the rest of a step."""
        if params.mode == "hard":
            return {"audio": out.widen(WINDOW_STEPS * STEP, step_overhang(self.block, out.end))}
        rate, sizes = self.input_types["audio"].rate, self._sizes(params)
        behind = max(sizes.window - sizes.lookahead, 0)
        return {"audio": out.widen(behind / rate, sizes.lookahead / rate)}

    def _sizes(self, params: GateParams) -> Sizes:
        rate = self.input_types["audio"].rate
        return Sizes(**{name: round(getattr(params, name) * rate) for name in Sizes.__slots__})

    def load(self, params: GateParams, device: torch.device, dtype: torch.dtype) -> None:
        """Computes sizes in samples."""
        asked = self.asked["out"]
        self._start = self.given["audio"].index(asked.interval.start)
        self._count = asked.count
        self._grid = Grid.at(asked.rate)
        self._size = self._sizes(params)

    def state(self, params: GateParams, streams: int) -> SmoothState | HardState:
        """Starts closed."""
        if params.mode == "hard":
            first = int(self.asked["out"].interval.end * self.asked["out"].rate)
            return HardState(torch.full((streams,), first))
        return SmoothState(
            torch.zeros(streams, dtype=torch.bool),
            torch.full((streams,), self._size.hold),
            torch.zeros(streams, dtype=torch.float64),
        )

    def process(
        self, inputs: Tensors, params: GateParams, state: SmoothState | HardState
    ) -> Tensors:
        """One block."""
        audio = inputs["audio"]
        block = audio[:, :, self._start : self._start + self._count]
        if isinstance(state, SmoothState):
            gain = self._smooth(self._level(audio.numpy()), params, state)
        else:
            samples = audio.numpy()
            gain = self._grid.by_phase(
                state.position, lambda phase, rows: self._hard(samples[rows], phase, params)
            )
            state.position += self._count
        return {"out": block if gain is None else block * gain[:, None]}

    # ---- hard -------------------------------------------------------------------------------

    def _hard(self, audio: np.ndarray, first: int, params: GateParams) -> torch.Tensor:
        """Gain ``[streams, samples]``; ``first`` is the block's first sample in the stream."""
        low, high = self._grid.steps(first, self._count)
        steps = self._grid.edges(low - WINDOW_STEPS + 1, high)
        loud = mean_squares(audio, steps - first + self._start) >= _power(params.threshold)
        inside = np.clip(steps[WINDOW_STEPS - 1 :], first, first + self._count)
        return torch.from_numpy(np.repeat(loud.astype(np.float32), np.diff(inside), axis=1))

    # ---- smooth -----------------------------------------------------------------------------

    def _level(self, audio: np.ndarray) -> np.ndarray:
        """Mean square over the window that ends with each sample ``[streams, samples]``."""
        window = max(self._size.window, 1)
        newest = self._start + self._size.lookahead
        span = audio[:, :, newest + 1 - window : newest + self._count]
        power = np.add.reduce(np.square(span, dtype=np.float64), axis=1)
        total = np.zeros((power.shape[0], power.shape[1] + 1))
        np.cumsum(power, axis=1, out=total[:, 1:])
        return (total[:, window:] - total[:, :-window]) / (window * audio.shape[1])

    def _smooth(
        self, level: np.ndarray, params: GateParams, state: SmoothState
    ) -> torch.Tensor | None:
        """Gain ``[streams, samples]``, or None if it is 1 throughout."""
        opens, closes = _power(params.threshold), _power(params.threshold - params.hysteresis)
        opened, quiet, gain = state.open.numpy(), state.quiet.numpy(), state.gain.numpy()
        if opened.all() and gain.min() == 1.0 and level.min() >= closes:
            quiet[:] = 0
            return None
        if not (opened.any() or gain.any()) and level.max() <= opens:
            return torch.zeros(level.shape)
        path = self._open(level > opens, level >= closes, opened, quiet)
        opened[:] = path[:, -1]
        up, down = (1 / max(n, 1) for n in (self._size.attack, self._size.release))
        ramps = np.stack([_ramps(*row, up, down) for row in zip(path, gain, strict=True)])
        gain[:] = ramps[:, -1]
        return torch.from_numpy(ramps.astype(np.float32))

    def _open(
        self, over: np.ndarray, near: np.ndarray, opened: np.ndarray, quiet: np.ndarray
    ) -> np.ndarray:
        """Whether the gate is open at each sample ``[streams, samples]``; updates ``quiet``.

        The last event decides: the level exceeded the threshold, or it stayed below the closing
        level for the whole hold. Events are encoded so that a running maximum finds the last one:
        twice the sample index, plus 1 if the gate opens; -1 and -2 encode the state at the start.
        """
        at = np.arange(over.shape[1])
        since = at - np.maximum.accumulate(np.where(near, at, -1 - quiet[:, None]), axis=1)
        quiet[:] = np.minimum(since[:, -1], self._size.hold)
        closed = since >= max(self._size.hold, 1)
        code = np.where(over | closed, 2 * at + over, opened[:, None] - 2)
        return np.maximum.accumulate(code, axis=1) & 1


def _power(level: float) -> float:
    """Mean square of an RMS level in dB."""
    return 10.0 ** (level / 10.0)


def _ramps(opened: np.ndarray, gain: float, up: float, down: float) -> np.ndarray:
    """Straight lines towards 1 where ``opened`` and towards 0 elsewhere, from ``gain`` on."""
    turns = [0, *(np.flatnonzero(opened[1:] != opened[:-1]) + 1), opened.size]
    path = np.empty(opened.size)
    for begin, end in itertools.pairwise(turns):
        slope = up if opened[begin] else -down
        path[begin:end] = np.clip(gain + slope * np.arange(1, end - begin + 1), 0.0, 1.0)
        gain = float(path[end - 1])
    return path
