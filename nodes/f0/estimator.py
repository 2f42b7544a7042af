"""The base of all F0 estimators: ports, spans, voicing, filling of gaps."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import ClassVar, Generic, TypeVar

import numpy as np
import torch
from pydantic import Field, model_validator

from voicegraph.graph import (
    Audio,
    Duration,
    Hertz,
    In,
    Interval,
    Mask,
    Node,
    NodeParams,
    Out,
    Pitch,
    Ports,
    Request,
    Requests,
    Tensors,
)
from voicegraph.nodes.f0._estimator_packages import Package
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames

RATE = 16000
"""Sample rate of the estimators' input, in Hz."""
FRAMES_HZ = 100
"""Output frames a second."""
HOP = RATE // FRAMES_HZ
"""Samples from frame to frame."""


class F0Params(NodeParams):
    """Params that every estimator has."""

    floor: Hertz = Field(50.0, ge=30, le=500)
    """Lowest F0 of the search range, in Hz."""
    ceiling: Hertz = Field(1100.0, ge=100, le=2100)
    """Highest F0 of the search range, in Hz."""
    context: Duration = Field(Fraction(0), ge=0)
    """Audio analysed before the requested span: better estimates at its start, at more cost."""
    lookahead: Duration = Field(Fraction(0), ge=0, le=1)
    """Audio analysed after the requested span: better estimates at its end. This is latency,
    rounded up to 10 ms."""
    fill: bool = False
    """Fill unvoiced stretches by linear interpolation; `voiced` stays 0 there."""

    @model_validator(mode="after")
    def _floor_below_ceiling(self) -> F0Params:
        if self.floor >= self.ceiling:
            raise ValueError(
                f"floor ({self.floor:g} Hz) must lie below ceiling ({self.ceiling:g} Hz)"
            )
        return self


F0ParamsT = TypeVar("F0ParamsT", bound=F0Params)


class F0Estimator(Node[F0ParamsT, None], Generic[F0ParamsT]):
    """Base of the nodes that estimate the fundamental frequency: interface ``F0Estimator``.

    audio ``[streams, 1, samples]`` at 16 kHz -> windows ``pitch`` in Hz, 0 where unvoiced (unless
    filled), and ``voiced``, 1 or 0: both ``[streams, frames]`` at 100 Hz, frame ``k`` at the
    window's start + 10 ms * k. A subclass defines :meth:`estimate`, or :meth:`estimate_all` if it
    works on all streams at once.

    Class attributes: ``shortest``, the shortest useful span in seconds; a shorter request is
    extended into the past. ``package``, the package that an extra installs for it, or None; without
    it the pipeline does not compile.
    """

    Params = F0Params

    interface = "F0Estimator"
    chunking = "windowed"
    pure = True
    shortest: ClassVar[Fraction] = Fraction(0)
    package: ClassVar[Package | None] = None

    audio = In(Audio, rate=RATE, channels=1)
    pitch = Out(Pitch, rate=FRAMES_HZ, window=True, doc="F0 in Hz, 0 where unvoiced")
    voiced = Out(Mask, rate=FRAMES_HZ, window=True, doc="1 where voiced, else 0")

    def ports(self, params: F0ParamsT) -> Ports:
        """The declared ports, once the package has been found.

        Raises:
            PipelineError: if it is not installed.
        """
        if self.package is not None:
            self.package.check()
        return self.declared

    def estimate(self, params: F0ParamsT, audio: np.ndarray) -> np.ndarray:
        """F0 of one stream: float64 ``[samples]`` at 16 kHz -> Hz ``[frames]``, 0 where unvoiced.

        Frame ``k`` is at sample ``160 k``. The caller drops frames beyond the last whole 10 ms.
        """
        raise TypeError(f"{type(self).__name__} does not define estimate()")

    def estimate_all(self, params: F0ParamsT, audio: torch.Tensor) -> torch.Tensor:
        """F0 of all streams: ``[streams, samples]`` -> Hz ``[streams, frames]``, on one device.

        Frames as in :meth:`estimate`. The default calls that for each stream.
        """
        rows = [self.estimate(params, row) for row in audio.double().contiguous().numpy()]
        return torch.from_numpy(np.stack(rows))

    def estimate_frames(
        self, params: F0ParamsT, audio: torch.Tensor, frames: range
    ) -> torch.Tensor:
        """Some of the frames of :meth:`estimate_all`: Hz ``[streams, len(frames)]``.

        The default computes all; override it if fewer cost less.
        """
        return self.estimate_all(params, audio)[:, frames.start : frames.stop]

    def needs(self, params: F0ParamsT, out: Request) -> Requests:
        """The same span, with context before it and look-ahead after it."""
        return {"audio": Request(self._analysed(params, self.gives(params, out)), out.core)}

    def gives(self, params: F0ParamsT, out: Request) -> Interval:
        """The span, extended to whole frames."""
        return extend_to_whole_frames(out.interval, Fraction(FRAMES_HZ))

    def shortest_span(self, params: F0ParamsT) -> Fraction:
        """The shortest useful span in seconds; override it if it depends on the params."""
        return self.shortest

    def _analysed(self, params: F0ParamsT, given: Interval) -> Interval:
        """The span analysed for the frames in ``given``, extended by whole frames."""
        after = Fraction(math.ceil(params.lookahead * FRAMES_HZ), FRAMES_HZ)
        before = max(params.context, self.shortest_span(params) - given.duration - after)
        return given.widen(Fraction(math.ceil(before * FRAMES_HZ), FRAMES_HZ), after)

    def prepare(self, params: F0ParamsT) -> None:
        """Computes which samples are analysed, and which frames are the output."""
        asked = self.asked["pitch"]
        span = self._analysed(params, asked.interval)
        self._audio = self.given["audio"].part(span)
        first = int((asked.interval.start - span.start) * FRAMES_HZ)
        self._wanted = range(first, first + asked.count)

    def process(self, inputs: Tensors, params: F0ParamsT, state: None) -> Tensors:
        """One tick: the whole span of each stream."""
        samples = inputs["audio"][:, 0, self._audio]
        wanted = self._wanted
        if params.fill:  # also between voiced frames outside
            every = self.estimate_all(params, samples)
            found = every[:, wanted.start : wanted.stop]
            pitch = fill_gaps(every)[:, wanted.start : wanted.stop]
        else:
            found = pitch = self.estimate_frames(params, samples, wanted)
        return {"pitch": pitch.float().contiguous(), "voiced": (found > 0).float()}


def fill_gaps(f0: torch.Tensor) -> torch.Tensor:
    """F0 ``[..., frames]`` with zeros replaced: linearly between voiced frames, held at the ends.

    Without any voiced frame it stays 0.
    """
    count = f0.shape[-1]
    frames = torch.arange(count, device=f0.device).expand(f0.shape)
    known = f0 > 0
    before = torch.where(known, frames, -1).cummax(-1).values
    after = torch.where(known, frames, count).flip(-1).cummin(-1).values.flip(-1)
    left = torch.where(before < 0, after, before).clamp(max=count - 1)  # holds the ends
    right = torch.where(after == count, left, after)
    share = (frames - left).to(f0.dtype) / (right - left).clamp(min=1)
    low, high = f0.gather(-1, left), f0.gather(-1, right)
    return torch.where(known, f0, low + (high - low) * share)
