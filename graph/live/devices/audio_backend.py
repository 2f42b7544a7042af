"""What the engine needs of a sound card: two ends, callbacks, and to be told when it is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

CaptureCallback = Callable[[np.ndarray, float, bool], None]
"""Takes frames ``[N, C]`` float32 (valid during the call only), the time of the call
(``time.perf_counter``), and whether audio was lost before them."""

PlaybackCallback = Callable[[np.ndarray, float, bool], None]
"""Fills a buffer ``[N, C]`` float32; time as above; whether the device ran dry before it."""


@dataclass(frozen=True, slots=True)
class OpenDevice:
    """One direction of a pair of open devices.

    Attributes:
        name: the device's name.
        rate: samples a second, in Hz.
        channels: channels.
        latency: what the sound system says that its buffers and converters take, in seconds.
    """

    name: str
    rate: int
    channels: int
    latency: float


class AudioBackend(Protocol):
    """A pair of open devices.

    Attributes:
        input: where sound comes from.
        output: where it goes.
        one_clock: both are one duplex stream; every callback of the one comes with one of the
            other, at the same time, input first.
    """

    input: OpenDevice
    output: OpenDevice
    one_clock: bool

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        """Lets the callbacks run.

        Raises:
            DeviceError: if a device cannot be started.
        """
        ...

    def stop(self) -> None:
        """No callback runs any more, and the devices are closed. Safe to call twice."""
        ...

    @property
    def lost(self) -> str | None:
        """Why a device is gone; None while both work."""
        ...

    def reopen(self) -> bool:
        """Looks for what was lost; True when it is back as it was, and callbacks run."""
        ...
