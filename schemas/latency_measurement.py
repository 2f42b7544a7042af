"""What ``voicegraph latency`` found: every part of the delay by its name, and their sum."""

from __future__ import annotations

from voicegraph.schemas.bench_report import MachineReport
from voicegraph.schemas.report import Report


class DelayRun(Report):
    """One measurement: a signal sent through, and what came back."""

    device_ms: float
    """Through the devices alone: played past the engine, and recorded."""
    whole_ms: float
    """Into the engine and back through the devices."""
    sure: float
    """Correlation with what was sent, 0..1, of the less certain of both."""


class LatencyMeasurement(Report):
    """Algorithmic, buffering, device and measured latency of a pipeline on a pair of devices."""

    pipeline: str
    """The pipeline's name."""
    input: str
    """The input device and its format."""
    output: str
    """The output device and its format."""
    machine: MachineReport
    """Where it was measured."""
    block_ms: float
    """The step."""
    algorithmic_ms: float
    """Look-ahead and overlap of the pipeline."""
    buffering_ms: float
    """One block to fill, one to play, and what the driver holds in reserve."""
    device_claimed_ms: float
    """What the sound system says that both devices take."""
    device_ms: float
    """What they were measured to take."""
    measured_ms: float
    """From sound in to sound out."""
    runs: list[DelayRun]
    """The single measurements; the figures above are their medians."""
    compute_median_ms: float
    """Half of the blocks take less; that adds nothing to the delay."""
    compute_p99_ms: float
    """99 of 100 blocks take less."""
    late: int
    """Blocks that were late during the measurement."""

    @property
    def expected_ms(self) -> float:
        """The sum of algorithmic, buffering and measured device latency."""
        return self.algorithmic_ms + self.buffering_ms + self.device_ms

    @property
    def difference_ms(self) -> float:
        """What was measured beyond the sum."""
        return self.measured_ms - self.expected_ms

    @property
    def headroom(self) -> float:
        """What of a block is left at the 99th percentile, 0..1."""
        return 1 - self.compute_p99_ms / self.block_ms
