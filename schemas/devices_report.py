"""Sound devices: the model behind ``voicegraph devices --json``."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class SoundDevice(Report):
    """A sound device, as listed by the sound system."""

    index: int
    """Its number, as `live` takes it. It may change when devices are plugged or unplugged."""
    name: str
    """Its name; `live` takes a part of it, too."""
    host_api: str
    """The host API: ``ALSA``, ``Windows WASAPI``, ``Core Audio``."""
    inputs: int
    """Number of input channels."""
    outputs: int
    """Number of output channels."""
    default_rate_hz: int
    """Default sample rate."""
    default_input: bool
    """The system's default input."""
    default_output: bool
    """The system's default output."""
    low_latency_ms: float
    """Default low latency of one direction."""
    high_latency_ms: float
    """Default high (safe) latency of one direction."""


class DevicesReport(Report):
    """``voicegraph devices --json``."""

    devices: list[SoundDevice]
    """In the order of their numbers."""
