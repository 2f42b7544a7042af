"""The base of the synthesizers: ports and their spans."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Generic, TypeVar

import torch

from voicegraph.graph import (
    Audio,
    Features,
    In,
    Interval,
    Node,
    NodeParams,
    Out,
    Pitch,
    PortSpec,
    Request,
    Requests,
    State,
)
from voicegraph.schemas.voice_card import FRAMES_HZ

ParamsT = TypeVar("ParamsT", bound=NodeParams)
StateT = TypeVar("StateT", bound=State | None)


class Synthesizer(Node[ParamsT, StateT], Generic[ParamsT, StateT]):
    """Base of the nodes that turn content and pitch into audio: interface ``Synthesizer``.

    content ``[streams, frames, dim]`` at any rate and, for most, pitch ``[streams, frames]`` in Hz
    -> windows ``audio`` ``[streams, channels, samples]``.

    The part that the consumer uses (the *core* of the request) is decoded, in whole frames of 10
    ms. Content and pitch are requested from :meth:`context` before it to the end of the request.
    Frames are counted back from that end, which moves by whole frames at each tick.
    """

    interface = "Synthesizer"
    chunking = "windowed"

    content = In(Features, doc="content features, at any rate")
    pitch = In(Pitch, doc="F0 in Hz, 0 where unvoiced, at any rate")
    audio = Out(Audio, window=True, doc="the audio, estimated again at every tick")

    def context(self, params: ParamsT) -> Fraction:
        """Content and pitch before the decoded span that the voice uses, in seconds."""
        raise TypeError(f"{type(self).__name__} does not define context()")

    def block_rates(self, params: ParamsT) -> tuple[Fraction]:
        """A voice is decoded in whole frames of 10 ms."""
        return (Fraction(FRAMES_HZ),)

    def needs(self, params: ParamsT, out: Request) -> Requests:
        """Everything from the context on; the core begins with the decoded span."""
        decoded = self.gives(params, out)
        whole = Interval(decoded.start - self.context(params), out.end)
        return dict.fromkeys(self.input_types, Request(whole, Interval(decoded.start, out.end)))

    def gives(self, params: ParamsT, out: Request) -> Interval:
        """The core, extended to whole frames before the end of the request."""
        before = math.ceil((out.end - out.core.start) * FRAMES_HZ)
        after = math.floor((out.end - out.core.end) * FRAMES_HZ)
        return Interval(out.end - Fraction(before, FRAMES_HZ), out.end - Fraction(after, FRAMES_HZ))

    def frames(self, port: str, span: Interval) -> torch.Tensor:
        """Indices of an input's frames for each 10 ms of a span, int64 ``[frames]``.

        Frame ``k`` is at the span's start + 10 ms * k, and takes the last input frame that begins
        at or before it (at 50 Hz, each one twice). A missing last frame takes its neighbour.
        """
        return nearest(self.given[port], span)


def nearest(given: PortSpec, span: Interval) -> torch.Tensor:
    """Index of the frame of ``given`` that lies at, or last before, each 10 ms of ``span``."""
    first = (span.start - given.interval.start) * given.rate
    step = given.rate / FRAMES_HZ
    count = int(span.duration * FRAMES_HZ)
    found = [min(math.floor(first + k * step), given.count - 1) for k in range(count)]
    return torch.tensor(found, dtype=torch.int64)
