"""The status of a live session: the model behind the screen, ``--json`` lines and HTTP.

Times are milliseconds, levels dB relative to full scale (never below -120).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from voicegraph.schemas.live_health import LateReport, LiveHealth
from voicegraph.schemas.report import Report

LiveState = Literal["starting", "running", "waiting", "stopped"]
"""``waiting``: a device was lost, and the session goes on when it is back."""


class EndReport(Report):
    """One end of a live session: the input device or the output device."""

    device: str
    """Name of the device."""
    rate_hz: int
    """Sample rate of the device."""
    channels: int
    """Channels of the device."""
    peak_db: float
    """Peak of the newest block."""
    rms_db: float
    """Root mean square (RMS) of the newest block."""
    clipped: int
    """Samples at or beyond full scale since the session began."""
    lost: int
    """How often the device reported lost audio: input overruns or output underruns."""


class NodeLoad(Report):
    """Compute time of a node over the newest blocks."""

    name: str
    """The node's name in the pipeline."""
    use: str
    """The type of the node, such as ``dsp.gain``."""
    median_ms: float
    """Median compute time of a block."""
    p99_ms: float
    """99th percentile of the compute time of a block."""
    bypassed: bool = False
    """Whether the node is bypassed."""


class LiveLatency(Report):
    """The four latencies, reported separately, and their sum."""

    algorithmic_ms: float
    """Algorithmic latency: look-ahead and overlap of the pipeline."""
    buffering_ms: float
    """Buffering latency: one block to fill, one to play, and the reserve."""
    device_ms: float
    """Latency of buffers and converters of both devices, as reported by the sound system."""
    measured_ms: float | None = None
    """Latency from input to output, measured by a test signal; null if not measured."""
    held_ms: float | None = None
    """The constant delay that was asked for, or the least one if a device takes longer meanwhile;
    null without one, and until both devices run. It is the sum of the parts."""

    @property
    def expected_ms(self) -> float:
        """Sum of algorithmic, buffering and device latency."""
        return self.algorithmic_ms + self.buffering_ms + self.device_ms


class DriftReport(Report):
    """Clock drift between the two devices, and its compensation."""

    one_clock: bool
    """Both devices run on one clock, so there is no drift."""
    drift_ppm: float | None
    """How much faster the input runs than the output, in parts per million; null until known."""
    correction_ppm: float
    """How much the output is stretched now, in parts per million."""
    offset_ms: float
    """Actual delay minus target delay."""
    realigned: int
    """How often the delay was corrected by a jump with a crossfade, after lost audio."""


class LiveParam(Report):
    """A param that can change while the session runs."""

    name: str
    """``node.param``."""
    value: Any
    """The present value."""
    minimum: float | None = None
    """Least value, if there is one."""
    maximum: float | None = None
    """Greatest value, if there is one."""
    choices: list[str] | None = None
    """All values, if the param is one of a few."""
    unit: str | None = None
    """Its unit, such as ``semitones``."""
    description: str = ""
    """What the param does, in one line."""


MessageKind = Literal["note", "fault"]
"""``fault``: something went wrong, such as a late block, a node that failed, a lost device."""


class LoggedMessage(Report):
    """A message of the session, with its time."""

    number: int
    """Counts messages from 1 on; the same message has the same number in every status."""
    seconds: float
    """Seconds since the session started, as in the status."""
    unix_s: float
    """The time of day, in seconds since 1970."""
    kind: MessageKind
    """What kind of message it is."""
    text: str
    """The message."""


class TakeStatus(Report):
    """A recording that was begun while the session runs."""

    name: str
    """Its name in the folder of takes, without an ending."""
    seconds: float
    """Seconds of input in the file."""
    bytes: int
    """Size of both sound files."""
    free_s: float | None = None
    """Seconds of audio that still fit on the disk; null if unknown."""
    marks: int = 0
    """Marks in it."""
    stopped: str | None = None
    """Why nothing more is written, although the take has not been ended; null while it records."""


class LiveStatus(Report):
    """All that is shown of a live session."""

    state: LiveState
    """Whether it runs."""
    pipeline: str
    """The pipeline's name."""
    seconds: float
    """Seconds since it started."""
    tick: int
    """Blocks that the pipeline has processed."""
    block_ms: float
    """Length of a block."""
    input: EndReport
    """The input device."""
    output: EndReport
    """The output device."""
    compute_median_ms: float
    """Median compute time of a block, all nodes together."""
    compute_p99_ms: float
    """99th percentile of the compute time of a block."""
    compute_max_ms: float
    """Longest compute time of the newest blocks."""
    headroom: float
    """Part of a block that is left at the 99th percentile, 0..1; below 0, blocks overrun."""
    nodes: list[NodeLoad]
    """The nodes in the order in which they run, then the bypassed ones."""
    health: LiveHealth = Field(default_factory=LiveHealth)
    """Everything that went wrong so far: counters, and sentences for people."""
    late: LateReport
    """Overruns; the same as in ``health``."""
    latency: LiveLatency
    """The parts of the latency."""
    drift: DriftReport
    """Clock drift of the devices."""
    skipping: bool = False
    """The input is silent, and blocks are skipped."""
    muted: bool = False
    """The output is muted."""
    push_to_talk: bool = False
    """The input is muted unless the talk key is pressed."""
    microphone: str | None = None
    """The name under which other programs find the virtual microphone; null without one."""
    talking: bool = True
    """The talk key is pressed, or there is none."""
    monitor: bool = False
    """The dry input is added to the output."""
    profiles: list[str] = Field(default_factory=list)
    """The profiles that the pipeline offers."""
    active_profiles: list[str] = Field(default_factory=list)
    """The profiles in force, in the order in which they apply."""
    voice: str | None = None
    """The name of the voice in the library; null if it has none there."""
    variant: str | None = None
    """The variant that is played, ``a`` or ``b``; null if there is one."""
    params: list[LiveParam] = Field(default_factory=list)
    """The live params."""
    messages: list[str] = Field(default_factory=list)
    """The texts of the newest messages, oldest first."""
    log: list[LoggedMessage] = Field(default_factory=list)
    """The same messages with their times; `GET /messages` has up to 200."""
    advice: list[str] = Field(default_factory=list)
    """Settings that would prevent overruns, if there were several in the last minute."""
    recording: str | None = None
    """Path of the recording; null without one. Whether it still records: ``health.recording``."""
    take: TakeStatus | None = None
    """The take that is being recorded; null if there is none."""
