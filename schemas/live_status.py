"""What a live session is doing: the model behind the screen, ``--json`` lines and HTTP.

Times are milliseconds, levels dB relative to full scale (never below -120).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from voicegraph.schemas.report import Report

LiveState = Literal["starting", "running", "waiting", "stopped"]
"""``waiting``: a device is gone, and the session goes on when it is back."""


class EndReport(Report):
    """One end of a live session: what is captured, or what is played."""

    device: str
    """Name of the device."""
    rate_hz: int
    """Samples a second at the device."""
    channels: int
    """Channels at the device."""
    peak_db: float
    """Highest sample of the newest block."""
    rms_db: float
    """Root mean square of the newest block."""
    clipped: int
    """Samples at or beyond full scale since the session began."""
    lost: int
    """Times that the device said it lost audio on this side (overrun or underrun)."""


class NodeLoad(Report):
    """What a node costs, over the newest ticks."""

    name: str
    """Its name in the pipeline."""
    use: str
    """Which node it is."""
    median_ms: float
    """Half of the blocks take less."""
    p99_ms: float
    """99 of 100 blocks take less."""
    bypassed: bool = False
    """Whether it is switched off."""


class LiveLatency(Report):
    """The four latencies, which are never mixed, and their sum."""

    algorithmic_ms: float
    """Look-ahead and overlap of the pipeline."""
    buffering_ms: float
    """One block to fill, one to play, and what the driver holds in reserve."""
    device_ms: float
    """What the sound system says its buffers and converters take, input and output together."""
    measured_ms: float | None = None
    """From sound in to sound out as measured by a test signal; null where it was not."""

    @property
    def expected_ms(self) -> float:
        """The sum of the first three: what a measurement should find."""
        return self.algorithmic_ms + self.buffering_ms + self.device_ms


class DriftReport(Report):
    """How the clocks of the two devices differ."""

    one_clock: bool
    """Both directions run on one clock, so nothing needs to be corrected."""
    drift_ppm: float | None
    """How much faster the input runs than the output, parts per million; null until known."""
    correction_ppm: float
    """By how much the output is stretched now."""
    offset_ms: float
    """How far the delay is from what it should be."""
    realigned: int
    """Times that the delay was set right by a jump under a crossfade, after lost audio."""


class LateReport(Report):
    """Blocks that were not ready when they should have been heard."""

    blocks: int
    """All late blocks since the session began."""
    last_minute: int
    """Those of the last minute."""
    dropped: int
    """Blocks of input left out because they could not have been heard in time."""
    worst_ms: float
    """How late the latest was."""
    blamed: dict[str, int] = Field(default_factory=dict)
    """Node -> late blocks in which it took the most beyond what it usually takes."""


class LiveParam(Report):
    """A param that may change while the session runs."""

    name: str
    """``node.param``."""
    value: Any
    """What it is now."""
    minimum: float | None = None
    """Least value, where there is one."""
    maximum: float | None = None
    """Greatest value, where there is one."""
    choices: list[str] | None = None
    """All values, where they can be counted."""
    unit: str | None = None
    """Its unit, such as ``semitones``."""
    description: str = ""
    """What it does, in a line."""


class LiveStatus(Report):
    """Everything that is shown of a live session."""

    state: LiveState
    """What it is doing."""
    pipeline: str
    """The pipeline's name."""
    seconds: float
    """How long it has been running."""
    tick: int
    """Blocks that went through the pipeline."""
    block_ms: float
    """The step."""
    input: EndReport
    """What is captured."""
    output: EndReport
    """What is played."""
    compute_median_ms: float
    """Half of the blocks take less, all nodes together."""
    compute_p99_ms: float
    """99 of 100 blocks take less."""
    compute_max_ms: float
    """The slowest of the newest blocks."""
    headroom: float
    """What of a block is left at the 99th percentile, 0..1; below 0 it cannot keep up."""
    nodes: list[NodeLoad]
    """In the order they run."""
    late: LateReport
    """Blocks that came too late."""
    latency: LiveLatency
    """Where the time goes."""
    drift: DriftReport
    """The clocks."""
    skipping: bool = False
    """There is silence, and the pipeline rests."""
    muted: bool = False
    """Nothing is sent out."""
    push_to_talk: bool = False
    """Only what is said while the talk key is down goes in."""
    talking: bool = True
    """The talk key is down, or there is none."""
    monitor: bool = False
    """The dry input is heard."""
    variant: str | None = None
    """Which of two variants is heard, ``a`` or ``b``; null where there is one."""
    params: list[LiveParam] = Field(default_factory=list)
    """What may be changed."""
    messages: list[str] = Field(default_factory=list)
    """The newest things a person should know, oldest first."""
    advice: list[str] = Field(default_factory=list)
    """What to set differently, where it keeps being late."""
    recording: str | None = None
    """Where it is recorded."""
