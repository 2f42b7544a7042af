"""Sound devices: the model behind ``voicegraph devices --json``."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class SoundDevice(Report):
    """One device, as the sound system tells of it."""

    index: int
    """The number that `live` takes. It may change when devices come and go."""
    name: str
    """Its name, of which a part is enough for `live`."""
    host_api: str
    """Through which part of the system: ``ALSA``, ``Windows WASAPI``, ``Core Audio``."""
    inputs: int
    """Channels it records; 0 for none."""
    outputs: int
    """Channels it plays; 0 for none."""
    default_rate_hz: int
    """Samples a second unless something else is asked for."""
    default_input: bool
    """Recorded from where nothing is named."""
    default_output: bool
    """Played on where nothing is named."""
    low_latency_ms: float
    """What the system calls low, one direction."""
    high_latency_ms: float
    """What the system calls safe, one direction."""


class DevicesReport(Report):
    """``voicegraph devices --json``."""

    devices: list[SoundDevice]
    """In the order of their numbers."""
