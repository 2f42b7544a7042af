"""What was measured, and on what: the models behind ``voicegraph bench --json``."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class MachineReport(Report):
    """Where a measurement was made."""

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
    """Time a block takes."""

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
    """Which node it is."""
    share: float
    """Its part of the time of all blocks, 0..1."""
    weights_bytes: int
    """Memory of its weights and tables."""


class MemoryReport(Report):
    """Memory of the whole process; null where the system does not tell."""

    resident_bytes: int | None
    """In RAM at the end."""
    growth_bytes: int | None
    """How much more than before the first measured block."""
    weights_bytes: int
    """Weights and tables of all nodes."""


class BenchReport(Report):
    """``voicegraph bench --json``."""

    pipeline: str
    """Name of the pipeline."""
    plan: str
    """Hash of the compiled plan."""
    machine: MachineReport
    """Where it ran."""
    threads: int
    """Threads that PyTorch may use."""
    streams: int
    """Independent streams side by side."""
    block_ms: float
    """Length of a block."""
    blocks: int
    """Blocks that were measured, after the warm-up."""
    setup_s: float
    """Time to load weights, to warm up and to choose workers."""
    nodes: list[NodeCostReport]
    """In the order in which they run."""
    engine: CostReport | None
    """What is left of a block when the nodes' time is taken off; null where workers overlap."""
    whole: CostReport
    """A whole call of ``Session.process``."""
    undisturbed_ms: float
    """Lowest median of any twentieth of the run: what a block costs while nothing else runs."""
    real_time_factor: float
    """Time of all blocks by their length; below 1 is faster than real time."""
    memory: MemoryReport
    """Memory."""
    notes: list[str]
    """What a person should know."""
