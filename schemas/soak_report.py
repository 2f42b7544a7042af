"""The result of ``voicegraph soak``, after minutes or hours."""

from __future__ import annotations

from voicegraph.schemas.bench_report import CostReport, MachineReport
from voicegraph.schemas.report import Report


class SoakReport(Report):
    """The result of a soak test."""

    pipeline: str
    """The pipeline's name."""
    machine: MachineReport
    """The machine."""
    threads: int
    """Threads of numeric libraries."""
    input: str
    """The input device and its format."""
    output: str
    """The output device and its format."""
    freewheel: bool
    """On simulated devices, as fast as possible, with measured compute times."""
    block_ms: float
    """Length of a block."""
    minutes: float
    """Minutes of audio that were processed."""
    wall_s: float
    """Duration of the test in seconds."""
    compute: CostReport
    """Compute time of a block, over the whole test."""
    late: int
    """Late blocks (overruns)."""
    worst_late_ms: float
    """The longest overrun."""
    dropped: int
    """Dropped blocks."""
    ran_dry: int
    """How often a device reported lost audio: an input overrun or an output underrun."""
    realigned: int
    """How often the delay was corrected by a jump."""
    drift_ppm: float | None
    """How much faster the input ran than the output; null if the test was too short."""
    worst_offset_ms: float
    """Largest difference between actual and target delay, after the first tenth."""
    latency_begin_ms: float
    """Algorithmic, buffering and device latency plus offset, after the first tenth."""
    latency_end_ms: float
    """The same at the end."""
    resident_mb: float | None
    """Memory at the end, in MB; null if unknown."""
    memory_mb_per_hour: float | None
    """Growth of memory after the first tenth, in MB an hour."""
    memory_grown_mb: float | None
    """Growth of memory over the duration of the test."""
    seam_db: float
    """Boundary metric: energy of the second difference at block borders over that within blocks;
    around 0 dB if borders are inaudible."""
    failures: list[str]
    """Why the test failed; empty if it passed."""
