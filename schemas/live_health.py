"""The health of a live session: everything that went wrong so far, in one model.

The same model is behind the summary at the end, the screen, plain lines, the page, ``--json`` and
``soak``. Counters start with the session and never decrease.
"""

from __future__ import annotations

from pydantic import Field

from voicegraph.schemas.recording_state import RecordingState
from voicegraph.schemas.report import Report


class LateReport(Report):
    """Overruns: blocks that were late, or dropped because they would have been late."""

    blocks: int = 0
    """Late blocks (overruns) since the session began."""
    last_minute: int = 0
    """Late blocks in the last minute."""
    dropped: int = 0
    """Input blocks dropped because their output would have been late."""
    worst_ms: float = 0.0
    """The longest overrun."""
    blamed: dict[str, int] = Field(default_factory=dict)
    """Overrun attribution: node -> late blocks in which it exceeded its usual time by the most."""


class LiveHealth(Report):
    """What went wrong in a live session so far."""

    late: LateReport = Field(default_factory=LateReport)
    """Late and dropped blocks."""
    underruns: int = 0
    """How often the output device reported an underrun: it was not served in time."""
    overflows: int = 0
    """How often the input device reported lost audio."""
    gaps: int = 0
    """How often nothing was ready when the output device asked for audio, whatever the cause."""
    gap_ms: float = 0.0
    """Length of these gaps together."""
    realigned: int = 0
    """How often the delay was corrected by a jump, after audio was lost."""
    largest_realignment_ms: float = 0.0
    """The largest of these jumps, without its sign."""
    devices_lost: int = 0
    """How often a device went away and the session waited for it."""
    clipped_in: int = 0
    """Input samples at or beyond full scale."""
    clipped_out: int = 0
    """Output samples at or beyond full scale."""
    node_faults: dict[str, int] = Field(default_factory=dict)
    """Node -> how often it failed and was set up anew."""
    newest_fault: str | None = None
    """The newest of these failures: node, cause and place."""
    silenced_by: str | None = None
    """The node whose failure silences the output now; null if there is output."""
    silent_s: float = 0.0
    """Seconds without output because of failed nodes."""
    hanging_node: str | None = None
    """The node that has been processing one block for more than a second; null if there is none."""
    hanging_s: float = 0.0
    """For how long it has been processing that block."""
    nonfinite_blocks: int = 0
    """Blocks in which NaN or infinite values were replaced by silence."""
    control_packets_dropped: int = 0
    """Control packets (OSC) that were not carried out because too many came at once."""
    recording: RecordingState | None = None
    """The recording; null without one."""
    takes_free_bytes: int | None = None
    """Free space of the disk for takes, as of some seconds ago; null if unknown."""
    events: list[str] = Field(default_factory=list)
    """All of the above that is not as it should be, as sentences, worst first; empty if nothing."""
