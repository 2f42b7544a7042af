"""The audio backend: what the engine needs of a sound card, real, simulated or wrapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

CaptureCallback = Callable[[np.ndarray, float, bool], None]
"""Takes frames ``[N, C]`` float32 (valid during the call only), the time of the call in seconds
(``time.perf_counter``), and whether input was lost before them (overrun)."""

PlaybackCallback = Callable[[np.ndarray, float, bool], None]
"""Fills a buffer ``[N, C]`` float32; the time as above; whether the device underran before it."""


@dataclass(frozen=True, slots=True)
class OpenDevice:
    """An open device, used in one direction.

    Attributes:
        name: the device's name.
        rate: in Hz.
        channels: number of channels.
        latency: of its buffers and converters in seconds, as reported by the sound system.
    """

    name: str
    rate: int
    channels: int
    latency: float


class AudioBackend(Protocol):
    """A pair of open devices.

    Attributes:
        input: the input device.
        output: the output device.
        one_clock: both are one duplex stream: each callback serves both, the input first.
    """

    input: OpenDevice
    output: OpenDevice
    one_clock: bool

    def start(self, capture: CaptureCallback, play: PlaybackCallback) -> None:
        """Starts the callbacks.

        Raises:
            DeviceError: if a device cannot be started.
        """
        ...

    def stop(self) -> None:
        """Stops the callbacks and closes the devices. Safe to call twice."""
        ...

    @property
    def lost(self) -> str | None:
        """Why a device is lost; None while both work."""
        ...

    def reopen(self) -> bool:
        """Looks for the lost device; True if it is back in the same format and callbacks run."""
        ...
