"""How far two pipelines are apart on the same input: ``voicegraph compare --json``.

A is the reference. Every port has the same measures; ``null`` where one does not apply to the kind
of signal, or could not be measured: then ``unmeasured`` says why. docs/compare.md defines them.
"""

from __future__ import annotations

from voicegraph.schemas.bench_report import MachineReport
from voicegraph.schemas.report import Report


class PlaceReport(Report):
    """One of the places where two signals differ most."""

    file: str
    """The file."""
    second: float
    """Its time in the input: the start of 50 ms."""
    rms: float
    """RMS difference in these 50 ms."""


class DifferenceReport(Report):
    """The measures of one port."""

    max: float | None = None
    """Largest absolute difference, in the unit of the values (audio: full scale is 1)."""
    rms: float | None = None
    """RMS difference."""
    rel: float | None = None
    """RMS difference over RMS of A."""
    snr_db: float | None = None
    """Power of A over power of the difference."""
    gain_db: float | None = None
    """Level of B over level of A."""
    lsd_db: float | None = None
    """Log-spectral distance, mean over frames."""
    cents: float | None = None
    """Mean absolute F0 difference of the frames that are voiced in both."""
    gross: float | None = None
    """Share of these frames whose F0 differs by more than 100 cents."""
    voicing: float | None = None
    """Share of frames that are voiced in both or in neither."""
    cosine: float | None = None
    """Cosine of feature frames with the mean over time taken off, mean over frames."""
    cosine_min: float | None = None
    """The least of them."""
    offset_ms: float | None = None
    """By how much B is later than A after their latencies are removed; it was removed as well."""


class PortComparison(Report):
    """What was found at one port."""

    port: str
    """``output``, or ``node.port``."""
    type: str
    """The signal type in which it was compared."""
    values: int
    """Number of values compared; 0 never occurs."""
    identical: bool
    """Whether they agree bit by bit."""
    correlation: float | None
    """Correlation of both, without their means, at the offset; null if one is constant."""
    measures: DifferenceReport
    """The measures."""
    unmeasured: dict[str, str]
    """Measure -> why it is null although it applies."""
    worst: list[PlaceReport]
    """Where they differ most, first the worst; empty if they are identical."""
    notes: list[str]
    """What limits the meaning of the measures."""


class FileComparison(Report):
    """One input file."""

    file: str
    """Its name, as given."""
    seconds: float
    """Seconds of it that were compared."""
    ports: list[PortComparison]
    """The output first."""


class UncomparedPort(Report):
    """A port that was not compared."""

    port: str
    """``node.port``."""
    why: str
    """Such as ``only in B``."""


class SideReport(Report):
    """One of the two pipelines."""

    name: str
    """As it was named, with its overrides."""
    plan: str
    """Hash of its plan."""
    block_ms: float
    """Its block."""
    latency_ms: float
    """Its algorithmic latency."""
    output: str
    """Type of its output."""
    seed: int
    """Seed of its noise."""
    notes: list[str]
    """Notes of its session."""


class SideCost(Report):
    """Compute time of one side; the first blocks, which fill caches, count in the total alone."""

    cpu_ms: float
    """CPU time of a block, all threads together: median."""
    cpu_total_s: float
    """CPU time of all blocks."""
    wall_ms: float
    """Wall time of a block: median."""
    undisturbed_ms: float
    """Wall time of a block without other load: lowest median of any twentieth of the run."""
    threads: int
    """Threads that PyTorch may use."""


class CostComparison(Report):
    """Compute times, measured in turns: a block of A, a block of B, and so on."""

    a: SideCost
    """Of A."""
    b: SideCost
    """Of B."""
    blocks: list[int]
    """Blocks of each."""
    cpu_ratio: float | None
    """CPU time of B over that of A for the same seconds of sound; null if the clock shows none."""
    cpu_ratio_range: list[float] | None
    """The middle half of this ratio, over parts of the run; null if the run is too short for it."""
    wall_ratio: float
    """The same of the undisturbed wall times."""
    machine: MachineReport
    """The machine."""


class LimitReport(Report):
    """One condition of ``--within``."""

    limit: str
    """As it was written."""
    port: str | None
    """The port it is about; null for compute time."""
    found: float | None
    """The worst value of all files; null if it is infinite or was not measured."""
    file: str | None
    """Where that is."""
    ok: bool | None
    """Whether it holds in every file; null if it could not be judged."""
    why: str | None
    """Why it could not be judged, or what an infinite value means."""


class ComparisonReport(Report):
    """``voicegraph compare --json``."""

    a: SideReport
    """The reference."""
    b: SideReport
    """What is judged."""
    identical: bool
    """Whether the output and all compared ports agree bit by bit in all files."""
    together: list[PortComparison]
    """All files together, the output first."""
    files: list[FileComparison]
    """Each file alone."""
    worst_file: str
    """The file in which the output differs most, relative to A."""
    not_compared: list[UncomparedPort]
    """Ports that were not compared."""
    cost: CostComparison
    """Compute times."""
    limits: list[LimitReport]
    """The conditions of ``--within``."""
    within: bool | None
    """Whether all conditions hold; null if there are none, or one could not be judged."""
    notes: list[str]
    """What limits the meaning of the whole comparison."""
