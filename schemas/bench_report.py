"""Results of benchmarks: ``voicegraph bench --json``."""

from __future__ import annotations

from voicegraph.schemas.engine_setup import EngineSetup
from voicegraph.schemas.report import Report


class MachineReport(Report):
    """The machine of a measurement."""

    cpu: str
    """The processor's name."""
    cores: int
    """Logical cores that the process may use."""
    system: str
    """Operating system and architecture."""
    python: str
    """Version of Python."""
    torch: str
    """Version of PyTorch."""
    numpy: str
    """Version of NumPy."""


class CostReport(Report):
    """Compute time per block."""

    median_ms: float
    """Half of the blocks take less."""
    p99_ms: float
    """99 of 100 blocks take less."""
    max_ms: float
    """The slowest block."""


class NodeCostReport(CostReport):
    """Time and memory of one node."""

    name: str
    """Its name in the pipeline."""
    use: str
    """The node class."""
    share: float
    """Its share of the compute time, 0..1."""
    weights_bytes: int
    """Memory of its weights and tables."""


class MemoryReport(Report):
    """Memory of the whole process; null if the system does not report it."""

    resident_bytes: int | None
    """In RAM at the end."""
    growth_bytes: int | None
    """Growth since the first measured block."""
    weights_bytes: int
    """Weights and tables of all nodes."""


class BenchReport(Report):
    """``voicegraph bench --json``."""

    pipeline: str
    """Name of the pipeline."""
    plan: str
    """Hash of the compiled plan."""
    machine: MachineReport
    """The machine."""
    threads: int
    """Threads that PyTorch may use."""
    setup: EngineSetup
    """How threads were laid out, which other ways were tried, and the precision of the nodes."""
    streams: int
    """Independent streams in parallel."""
    block_ms: float
    """Length of a block."""
    blocks: int
    """Blocks that were measured, after the warm-up."""
    setup_s: float
    """Time to load weights, to warm up and to choose workers."""
    nodes: list[NodeCostReport]
    """In the order in which they run."""
    engine: CostReport | None
    """Time of a block without the nodes' time; null if workers overlap."""
    whole: CostReport
    """A whole call of ``Session.process``."""
    undisturbed_ms: float
    """Lowest median of any twentieth of the run, of at least 5 blocks: the time of a block without
    other load."""
    real_time_factor: float
    """Compute time divided by duration; below 1 is faster than real time."""
    memory: MemoryReport
    """Memory."""
    notes: list[str]
    """Notes for the user."""
