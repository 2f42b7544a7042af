"""The tables of a finished run, one dataclass a table: columns, types and units.

They are files of the run's folder, as Parquet or CSV: ``cells``, ``values``, ``costs``, ``tests``.
Factors are columns of ``cells``, called ``factor.NAME``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import ConfigDict

_AS_REPORTS = ConfigDict(extra="forbid")
"""Rows within a JSON file are read as strictly as the file."""
Better = Literal["higher", "lower"] | None
"""Which values of a metric are better."""


@dataclass(frozen=True, slots=True)
class CellRow:
    """One clip of one cell with one seed.

    Attributes:
        cell: name of the cell.
        clip: name of the clip.
        speaker: the unit of statistics.
        seed: of noise and pipeline.
        target: name of the target, or empty.
        plan: key of the plan, or empty.
        sound: key of the sound in the store.
        source: key of the sound of the clean clip.
        given: key of the sound that the system got.
        status: ``done``, ``failed``, ``missing`` (not computed yet) or ``excluded``.
        code: of the failure, or empty.
        attempts: how often the conversion was started.
        seconds: its computing time.
        host: where it ran.
        levels: factor -> level; the columns ``factor.NAME``.
    """

    cell: str
    clip: str
    speaker: str
    seed: int
    target: str
    plan: str
    sound: str
    status: str
    code: str = ""
    attempts: int = 0
    seconds: float = 0.0
    host: str = ""
    source: str = ""
    given: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One number: a metric of one clip of one cell.

    Attributes:
        value: None if there is none.
        why_null: then the reason.
    """

    __pydantic_config__: ClassVar = _AS_REPORTS

    cell: str
    clip: str
    speaker: str
    seed: int
    metric: str
    value: float | None
    why_null: str = ""


@dataclass(frozen=True, slots=True)
class CostRow:
    """What a cell costs on a machine. Milliseconds are of a block.

    Attributes:
        against: the cell with which it took turns; empty if none.
        name: of the figure, such as ``cpu_ms``, ``p99_ms``, ``rtf``, ``algorithmic_ms``,
            ``resident_mb``, or ``node.NAME.cpu_ms``.
        low: 95 % interval of the value, if it has one.
        difference: from ``against``, with its interval.
    """

    cell: str
    machine: str
    name: str
    unit: str
    value: float
    low: float | None = None
    high: float | None = None
    against: str = ""
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test: a level against its baseline, in one metric, at fixed other levels.

    Attributes:
        vary: the factor.
        level: its level.
        baseline: the level that it is compared with.
        within: the fixed levels, as text.
        metric: name of the metric.
        n: pairs: speakers that have both; of costs, pairs of plans.
        mean: of the level.
        mean_baseline: of the baseline.
        difference: mean of paired differences.
        low: 95 % interval of the difference.
        p: of the test; None if it cannot be computed, or for costs.
        p_corrected: within the family.
        d_z: standardised mean of paired differences (Cohen).
        superiority: probability that a speaker's value is better with the level; ties count half.
        margin: of equivalence, if declared.
        p_equivalence: of two one-sided tests against the margin, corrected in a family of its own.
        equivalent: whether the difference lies within the margin, by these tests.
        detectable: least difference that this many speakers show with power .8 at level .05.
        verdict: ``better``, ``worse``, ``equivalent``, ``no difference shown``, ``different``
            (metrics without a direction) or ``not tested``.
        why: why it was not tested, or what limits the verdict.
    """

    __test__ = False  # pytest takes classes called Test... for tests
    __pydantic_config__: ClassVar = _AS_REPORTS

    vary: str
    level: str
    baseline: str
    within: str
    metric: str
    n: int
    mean: float | None
    mean_baseline: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_corrected: float | None
    d_z: float | None
    superiority: float | None
    margin: float | None = None
    p_equivalence: float | None = None
    equivalent: bool | None = None
    detectable: float | None = None
    verdict: str = ""
    why: str = ""
