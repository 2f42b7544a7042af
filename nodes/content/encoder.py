"""The base of all content encoders: their ports."""

from __future__ import annotations

from typing import Generic, TypeVar

from voicegraph.graph import Audio, Features, In, Node, NodeParams, Out, State

RATE = 16000
"""Sample rate of the encoders' input, in Hz."""


ParamsT = TypeVar("ParamsT", bound=NodeParams)
StateT = TypeVar("StateT", bound=State | None)


class ContentEncoder(Node[ParamsT, StateT], Generic[ParamsT, StateT]):
    """Base of the nodes that compute content features: interface ``ContentEncoder``.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``content`` ``[streams, frames, dim]`` at the
    encoder's own rate. A subclass declares rate and width in ``ports``, and whether its output is a
    window.
    """

    interface = "ContentEncoder"
    devices = ("cpu", "cuda")
    dtypes = ("float32", "float16", "bfloat16")
    releases_gil = True

    audio = In(Audio, rate=RATE, channels=1)
    content = Out(Features, doc="content features, independent of the speaker")
