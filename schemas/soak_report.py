"""What ``voicegraph soak`` found after minutes or hours."""

from __future__ import annotations

from voicegraph.schemas.bench_report import CostReport, MachineReport
from voicegraph.schemas.report import Report


class SoakReport(Report):
    """How a pipeline holds out."""

    pipeline: str
    """The pipeline's name."""
    machine: MachineReport
    """Where it ran."""
    threads: int
    """Threads that numeric libraries may use."""
    input: str
    """The input device and its format."""
    output: str
    """The output device and its format."""
    freewheel: bool
    """On simulated devices, as fast as it goes; with the compute times that were measured."""
    block_ms: float
    """The step."""
    minutes: float
    """Minutes of audio that went through."""
    wall_s: float
    """Seconds that it took."""
    compute: CostReport
    """Time a block takes, over all of it."""
    late: int
    """Blocks that were late."""
    worst_late_ms: float
    """How late the latest was."""
    dropped: int
    """Blocks that were left out."""
    ran_dry: int
    """Times that a device had to wait for its callback: a hole in the sound."""
    realigned: int
    """Times that the delay was set right by a jump."""
    drift_ppm: float | None
    """How much faster the input ran than the output; null where it was too short to know."""
    worst_offset_ms: float
    """Farthest that the delay was from what it should be, after the first tenth."""
    latency_begin_ms: float
    """Algorithmic, buffering and device latency after the first tenth, with the offset then."""
    latency_end_ms: float
    """The same at the end."""
    resident_mb: float | None
    """Memory at the end, in MB; null where the system does not tell."""
    memory_mb_per_hour: float | None
    """Its slope after the first tenth, in MB an hour."""
    memory_grown_mb: float | None
    """What that makes in the time that was run."""
    seam_db: float
    """Energy of the second difference at borders of blocks, against that within them; around 0 dB
    where borders cannot be heard."""
    failures: list[str]
    """Why it has failed; empty if it has not."""
