"""The result of ``voicegraph latency``: the parts of the latency, and their sum."""

from __future__ import annotations

from voicegraph.schemas.bench_report import MachineReport
from voicegraph.schemas.report import Report


class DelayRun(Report):
    """One measurement with a test signal."""

    device_ms: float
    """Latency of the devices alone: the signal is played past the engine, and recorded."""
    whole_ms: float
    """Latency of the engine and the devices."""
    sure: float
    """Correlation with the signal, 0..1: the lower one of both measurements."""


class LatencyMeasurement(Report):
    """Algorithmic, buffering, device and measured latency of a pipeline on a pair of devices."""

    pipeline: str
    """The pipeline's name."""
    input: str
    """The input device and its format."""
    output: str
    """The output device and its format."""
    machine: MachineReport
    """The machine."""
    block_ms: float
    """Length of a block."""
    algorithmic_ms: float
    """Algorithmic latency: look-ahead and overlap of the pipeline."""
    buffering_ms: float
    """Buffering latency: one block to fill, one to play, and the reserve."""
    device_claimed_ms: float
    """Latency of both devices, as reported by the sound system."""
    device_ms: float
    """Latency of both devices, as measured."""
    measured_ms: float
    """Measured latency from input to output."""
    runs: list[DelayRun]
    """The measurements, of which the figures above are the medians."""
    compute_median_ms: float
    """Median compute time of a block; it adds nothing to the latency."""
    compute_p99_ms: float
    """99th percentile of the compute time of a block."""
    late: int
    """Blocks that were late (overruns) during the measurement."""

    @property
    def expected_ms(self) -> float:
        """The sum of algorithmic, buffering and measured device latency."""
        return self.algorithmic_ms + self.buffering_ms + self.device_ms

    @property
    def difference_ms(self) -> float:
        """Measured latency minus the sum."""
        return self.measured_ms - self.expected_ms

    @property
    def headroom(self) -> float:
        """Part of a block that is left at the 99th percentile, 0..1."""
        return 1 - self.compute_p99_ms / self.block_ms
