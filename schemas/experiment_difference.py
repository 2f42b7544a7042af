"""How two runs of experiments differ: ``voicegraph experiment compare --json``.

A is the reference. Cells are paired by their names, values by cell, clip, seed and metric.
"""

from __future__ import annotations

from voicegraph.schemas.report import Report


class RunSide(Report):
    """One of the runs."""

    folder: str
    """As it was named."""
    name: str
    """Of the experiment."""
    hash: str
    """Of the compiled experiment."""
    finished: str | None
    """When, ISO 8601 in UTC."""
    voicegraph: str
    """Version."""
    commit: str | None
    """Of the repository that it ran from."""
    dirty: bool
    """Whether there were changes since that commit."""
    cells: int
    """Number of cells."""
    values: int
    """Number of values that are not null."""


class PlanDifference(Report):
    """A cell whose plans differ."""

    cell: str
    """Its name."""
    changes: list[str]
    """Each ``place: before -> after``; the code or a package if nothing that is written differs."""


class ValueDifference(Report):
    """A metric in a cell of both runs."""

    cell: str
    """Its name."""
    metric: str
    """Its name."""
    pairs: int
    """Clips and seeds that both have a value of."""
    identical: bool
    """Whether all these values agree bit by bit."""
    n: int
    """Speakers."""
    mean_a: float | None
    """Mean over speakers of A."""
    mean_b: float | None
    """The same of B."""
    difference: float | None
    """B less A."""
    low: float | None
    """95 % BCa interval of the difference."""
    high: float | None
    """Its upper end."""
    p: float | None
    """Of the sign-flip test."""
    p_corrected: float | None
    """By Holm, within all rows."""
    d_z: float | None
    """Mean over standard deviation of the paired differences."""
    verdict: str
    """``better``, ``worse``, ``different``, ``no difference shown`` or ``not tested``: B against A.
    """
    why: str
    """Why it was not tested."""


class CostDifference(Report):
    """A figure of cost or latency in a cell of both runs."""

    cell: str
    """Its name."""
    name: str
    """Of the figure, such as ``cpu_ms``."""
    unit: str
    """Such as ``ms``."""
    machine_a: str
    """Where A was measured; empty if it follows from the plan."""
    machine_b: str
    """Where B was."""
    a: float
    """In A."""
    b: float
    """In B."""
    difference: float
    """B less A; they were not measured in turns, so it has no interval."""
    comparable: bool
    """Whether it was one machine."""


class DifferenceLimit(Report):
    """One condition of ``--within``."""

    limit: str
    """As it was written."""
    found: float | None
    """The worst difference of all cells; null if it could not be judged."""
    cell: str | None
    """Where that is."""
    ok: bool | None
    """Whether it holds in every cell that both runs have; null if it could not be judged."""
    why: str | None
    """Why it could not, or what does not hold."""


class RunDifferenceReport(Report):
    """``voicegraph experiment compare --json``."""

    a: RunSide
    """The reference."""
    b: RunSide
    """What is judged."""
    identical: bool
    """Whether both have the same cells, plans and values, bit by bit."""
    packages: dict[str, list[str | None]]
    """Packages of other versions: version in A and in B, null if it was not installed."""
    plans: list[PlanDifference]
    """Cells whose plans differ."""
    values: list[ValueDifference]
    """Every metric of every cell that both have."""
    costs: list[CostDifference]
    """Every figure of every cell that both have."""
    lacks_a: list[str]
    """What B has and A has not."""
    lacks_b: list[str]
    """What A has and B has not."""
    limits: list[DifferenceLimit]
    """Conditions of ``--within``."""
    within: bool | None
    """Whether all conditions hold; null without conditions, or if one could not be judged."""
