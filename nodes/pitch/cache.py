"""``pitch.cache``: joins windows of F0, estimated again at every tick, into one long track."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import torch
from pydantic import Field

from voicegraph.graph import (
    NEVER_ESTIMATED,
    Duration,
    In,
    Interval,
    Live,
    Mask,
    Node,
    NodeParams,
    Out,
    Pitch,
    Ports,
    Request,
    Requests,
    Semitones,
    SignalType,
    State,
    Tensors,
    format_duration,
    format_rate,
    parse_duration,
    register,
)
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames


@dataclass
class CacheState(State):
    """The newest frames, oldest first.

    ``pitch`` ``[streams, frames]`` float32 in Hz, transposed; ``voiced`` the same shape, 0..1.
    """

    pitch: torch.Tensor
    voiced: torch.Tensor


class CacheParams(NodeParams):
    """Params of ``pitch.cache``."""

    transpose: Live[Semitones] = Field(0.0, ge=-24, le=24)
    """Transposition of new frames in semitones."""
    look: Duration = Field(parse_duration("50ms"), ge=0, le=2)
    """F0 requested before the newest block; whole frames."""
    drop_front: int = Field(3, ge=0)
    """Frames at the start of each window that are not used."""


@register("pitch.cache")
class Cache(Node[CacheParams, CacheState]):
    """Caches F0, so that only the newest part is estimated at each tick.

    pitch and, optionally, voiced ``[streams, frames]``, windows or streams -> windows pitch and
    voiced of any length. At each tick the cached frames move back by one block. Then the new frames
    overwrite the newest ones, except for the first ``drop_front``, where the estimator lacked the
    past. So a frame is revised as long as it lies within block + ``look`` of the end.

    Transposition multiplies new frames by 2^(semitones / 12). Cached frames stay, so a change
    affects only new sound. Without ``voiced``, frames above 0 Hz are voiced. Frames before the
    beginning of the session are unvoiced, and marked as never estimated.

    Source: the pitch cache of RVC's real-time path, which it matches frame for frame.
    """

    chunking = "windowed"
    devices = ("cpu", "cuda")
    examples = ({}, {"transpose": 7.0, "look": "100ms", "drop_front": 0})

    pitch = In(Pitch, window=True, doc="F0 of the newest frames in Hz, 0 where unvoiced")
    voiced = In(Mask, window=True, optional=True, doc="voicing, if F0 alone does not show it")

    def ports(self, params: CacheParams) -> Ports:
        """Outputs have the names of the inputs, which is not possible with class attributes."""
        pitch = Out(Pitch, like="pitch", window=True, doc="F0 in Hz, transposed, 0 where unvoiced")
        voiced = Out(Mask, like="pitch", window=True, doc="1 where voiced")
        return Ports(type(self).declared.inputs, {"pitch": pitch, "voiced": voiced})

    def infer(self, params: CacheParams, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        """The pitch's rate.

        Raises:
            ValueError: if ``voiced`` has another rate, or `look` is no whole number of frames.
        """
        rate = inputs["pitch"].rate
        if "voiced" in inputs and inputs["voiced"].rate != rate:
            voiced = format_rate(inputs["voiced"].rate)
            raise ValueError(f"pitch comes at {format_rate(rate)}, but voiced at {voiced}")
        _check_whole("look", params.look, rate)
        least = params.drop_front / rate
        if params.look < least:
            raise ValueError(
                f"look of {format_duration(params.look)} is less than the {params.drop_front} "
                f"frames that drop_front takes away: it must be {format_duration(least)} or more"
            )
        return super().infer(params, inputs)

    def block_rates(self, params: CacheParams) -> tuple[Fraction]:
        """Each block brings a whole number of frames."""
        return (self.input_types["pitch"].rate,)

    def needs(self, params: CacheParams, out: Request) -> Requests:
        """The newest block and ``look`` before it, whatever the request."""
        rate = self.input_types["pitch"].rate
        span = Interval(out.end - self.block - params.look, out.end)
        used = Interval(span.start + params.drop_front / rate, span.end)
        newest = Request(span, used)
        return dict.fromkeys(self.input_types, newest)

    def gives(self, params: CacheParams, out: Request) -> Interval:
        """The span, extended to whole frames."""
        return extend_to_whole_frames(out.interval, self.input_types["pitch"].rate)

    def prepare(self, params: CacheParams) -> None:
        """Computes the frames in a block, and the input frames before the end of the output."""
        self._step = int(self.block * self.input_types["pitch"].rate)
        end = self.asked["pitch"].interval.end
        voiced = self.given.get("voiced", self.given["pitch"])
        self._ends = {"pitch": self.given["pitch"].index(end), "voiced": voiced.index(end)}

    def state(self, params: CacheParams, streams: int) -> CacheState:
        """All frames unvoiced; as long as the output, and at least as long as the input."""
        frames = max(self.asked["pitch"].count, self.given["pitch"].count)
        shape = (streams, frames)
        never = torch.full(shape, NEVER_ESTIMATED, device=self.device)
        return CacheState(never, torch.zeros(shape, device=self.device))

    def process(self, inputs: Tensors, params: CacheParams, state: CacheState) -> Tensors:
        """One tick: moves the cache back by a block, then writes the new frames."""
        pitch = inputs["pitch"]
        voiced = inputs.get("voiced")
        if voiced is None:
            voiced = (pitch > 0).to(pitch.dtype)
        made = {"pitch": pitch * 2.0 ** (params.transpose / 12.0), "voiced": voiced}
        step, count = self._step, self.asked["pitch"].count
        for (name, frames), track in zip(made.items(), (state.pitch, state.voiced), strict=True):
            new = frames[:, params.drop_front : self._ends[name]]
            kept = track.shape[1] - new.shape[1]
            track[:, :kept] = track[:, step : step + kept].clone()
            track[:, kept:] = new
        return {
            "pitch": state.pitch[:, -count:].clone(),
            "voiced": state.voiced[:, -count:].clone(),
        }


def _check_whole(what: str, span: Fraction, rate: Fraction) -> None:
    count = span * rate
    if count.denominator > 1:
        below, above = (Fraction(n) / rate for n in (math.floor(count), math.ceil(count)))
        works = " or ".join(format_duration(time) for time in (below, above) if time > 0)
        raise ValueError(
            f"{what} of {format_duration(span)} holds {float(count):g} frames at "
            f"{format_rate(rate)}, which is no whole number: it must be {works}"
        )
