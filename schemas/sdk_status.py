"""The status of a session of the C interface: the JSON of ``vg_status``."""

from __future__ import annotations

from pydantic import Field

from voicegraph.schemas.live_status import LiveParam, NodeLoad
from voicegraph.schemas.report import Report


class SdkEnd(Report):
    """Blocks at one end of a session."""

    frames: int
    """Frames of a block."""
    rate_hz: int
    """Sample rate."""
    channels: int
    """Channels, interleaved."""


class SdkStatus(Report):
    """All that is known of a session of the C interface."""

    version: str
    """The version of voicegraph."""
    pipeline: str
    """The pipeline's name."""
    plan: str
    """Hash of everything that decides the output."""
    input: SdkEnd
    """What ``vg_process`` takes."""
    output: SdkEnd
    """What it gives."""
    block_ms: float
    """Length of a block."""
    latency_frames: int
    """Algorithmic latency in frames of the output."""
    latency_ms: float
    """Algorithmic latency: look-ahead and overlap of the pipeline."""
    blocks: int
    """Blocks that were processed since the session was opened."""
    seconds: float
    """Seconds since it was opened."""
    compute_median_ms: float
    """Median compute time over the newest blocks."""
    compute_p99_ms: float
    """99th percentile of it."""
    compute_max_ms: float
    """Maximum of it."""
    late: int
    """Blocks whose computation took longer than a block."""
    nodes: list[NodeLoad]
    """Compute time of each node."""
    params: list[LiveParam]
    """Params that ``vg_set`` changes."""
    swapping: bool
    """Whether a hot swap is in progress."""
    swaps: int
    """Hot swaps that were completed."""
    nonfinite: int
    """Blocks in which NaN or infinity was silenced."""
    silenced: bool
    """Whether the output is silent because a node has failed (``recover``)."""
    faults: dict[str, int] = Field(default_factory=dict)
    """Failures by node (``recover``)."""
    messages: list[str] = Field(default_factory=list)
    """Remarks of the set-up, and the newest messages about faults and warnings."""
