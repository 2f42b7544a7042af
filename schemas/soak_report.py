"""The result of ``voicegraph soak``, after minutes or hours."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from voicegraph.schemas.bench_report import CostReport, MachineReport
from voicegraph.schemas.engine_setup import EngineSetup
from voicegraph.schemas.live_health import LiveHealth
from voicegraph.schemas.report import Report


class SoakLimits(Report):
    """What is allowed; one more fails the test."""

    late: int = Field(default=0, ge=0)
    """Late blocks (overruns)."""
    dropped: int = Field(default=0, ge=0)
    """Dropped blocks."""
    underruns: int = Field(default=0, ge=0)
    """Device underruns and overflows."""
    realigned: int = Field(default=0, ge=0)
    """Jumps of the delay after audio was lost."""


class SoakChanges(Report):
    """What was changed while the test ran."""

    swaps: int = 0
    """Hot swaps of the whole pipeline that were completed."""
    swaps_refused: int = 0
    """Hot swaps that were refused or failed; the session went on without them."""
    params_set: int = 0
    """Changes of live params."""


class SoakPoint(Report):
    """Memory and delay at one time."""

    at_s: float
    """Seconds of audio since the beginning."""
    resident_mb: float | None
    """Memory of the process in MB; null if unknown."""
    latency_ms: float
    """Algorithmic, buffering and device latency plus offset."""
    offset_ms: float
    """Actual delay minus target delay."""


class SoakReport(Report):
    """The result of a soak test."""

    pipeline: str
    """The pipeline's name."""
    machine: MachineReport
    """The machine."""
    threads: int
    """Threads of numeric libraries."""
    setup: EngineSetup | None = None
    """How the engine was set up, as the session ended."""
    input: str
    """The input device and its format."""
    output: str
    """The output device and its format."""
    freewheel: bool
    """On simulated devices, as fast as possible, with measured compute times."""
    block_ms: float
    """Length of a block."""
    blocks: int
    """Blocks that were processed."""
    minutes: float
    """Minutes of audio that were processed."""
    wall_s: float
    """Duration of the test in seconds."""
    compute: CostReport
    """Compute time of a block, over the whole test."""
    cpu: CostReport
    """CPU time of the engine's thread per block: unlike the compute time, it does not grow while
    other programs have the processor."""
    cpu_exceeded: int
    """Blocks whose own CPU time exceeded their length: no machine of this speed runs them live."""
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
    memory_mb_per_hour_range: tuple[float, float] | None
    """Its confidence interval of 95 %; null if the test was too short."""
    memory_grown_mb: float | None
    """Growth of memory over the duration of the test."""
    seam_db: float
    """Boundary metric: energy of the second difference at block borders over that within blocks;
    around 0 dB if borders are inaudible."""
    changes: SoakChanges
    """Hot swaps and changes of params during the test."""
    health: LiveHealth
    """Everything that went wrong, as a live session counts it."""
    unfinished: list[str] = Field(default_factory=list)
    """What had not ended two seconds after the test, such as a node that hangs."""
    limits: SoakLimits
    """What was allowed."""
    samples: list[SoakPoint]
    """Memory and delay over time, at most 500 points."""
    verdict: Literal["passed", "failed", "nothing measured"]
    """``nothing measured``: no block was processed, so there is no verdict."""
    failures: list[str]
    """Why the test failed; empty if it passed."""
