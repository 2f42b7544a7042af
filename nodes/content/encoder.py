"""What all content encoders share: their ports."""

from __future__ import annotations

from typing import Generic, TypeVar

from voicegraph.graph import Audio, Features, In, Node, NodeParams, Out, State

RATE = 16000
"""Sample rate of the audio that all encoders take, in Hz."""


ParamsT = TypeVar("ParamsT", bound=NodeParams)
StateT = TypeVar("StateT", bound=State | None)


class ContentEncoder(Node[ParamsT, StateT], Generic[ParamsT, StateT]):
    """Base of the nodes that find out what is said: interface ``ContentEncoder``.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``content`` ``[streams, frames, dim]`` at the
    encoder's own rate. A subclass gives rate and width in ``ports``, and says whether its output
    is a window.
    """

    interface = "ContentEncoder"
    devices = ("cpu", "cuda")
    dtypes = ("float32", "float16", "bfloat16")
    releases_gil = True

    audio = In(Audio, rate=RATE, channels=1)
    content = Out(Features, doc="what is said, apart from who says it")
