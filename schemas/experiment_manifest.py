"""The manifest of a finished experiment, ``manifest.json``: everything that its tables do not hold.

With the tables of ``schemas/experiment_tables.py`` it is what the page, listening tests, exports
and comparisons of runs are made of, and what is needed to run the experiment again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator

from voicegraph.schemas.experiment_page import SoundFormat
from voicegraph.schemas.experiment_tables import TestRow, ValueRow
from voicegraph.schemas.report import Report


class _Facts(Report):
    """Facts that a dataclass with the same attributes gives, too: ``model_validate(cell)``."""

    model_config = ConfigDict(from_attributes=True)

    @field_validator("*", mode="before")
    @classmethod
    def _paths_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, Path) else value


class ClipFacts(_Facts):
    """A clip that was drawn, or an utterance of a target."""

    name: str
    path: str
    sha256: str
    speaker: str
    start_s: float = 0.0
    seconds: float | None = None
    columns: Mapping[str, str] = Field(default_factory=dict)


class TargetFacts(_Facts):
    """Whose voice a system speaks with."""

    name: str
    speech: tuple[ClipFacts, ...] = ()
    sounds: tuple[str, ...] = ()
    """Keys of the sounds of its speech in the store."""


class CellFacts(_Facts):
    """One combination of levels."""

    name: str
    levels: Mapping[str, str]
    target: str | None
    kind: Literal["pipeline", "command", "source", "target"]
    plan: str | None = None
    excluded: str | None = None
    stated_latency_ms: float | None = None


class PlanReportFacts(_Facts):
    """What is known of a plan without running it."""

    key: str
    described: Mapping[str, Any]
    explained: str
    algorithmic_ms: float
    buffering_ms: float
    block_ms: float
    files: Mapping[str, str]
    licences: Mapping[str, str] = Field(default_factory=dict)


class MetricFacts(_Facts):
    """A metric, as tables and pictures show it."""

    name: str
    title: str
    better: Literal["higher", "lower"] | None = None
    unit: str = ""
    digits: int = 3
    ideal: float | None = None
    text: str = ""
    citation: str = ""
    observers: tuple[str, ...] = ()
    """What hears for it, as in :class:`ObserverFacts`."""
    goal: str | None = None
    """Such as ``>= .88``."""


class ObserverFacts(_Facts):
    """What heard the sounds."""

    name: str
    version: int = 1
    package: str | None = None
    licence: str = ""
    source: str = ""
    weights: Mapping[str, str] = Field(default_factory=dict)
    """Files of packages that hold what its networks learned, ``module/path`` -> SHA-256."""
    learned_from: Mapping[str, str] = Field(default_factory=dict)
    """Data and teachers of its networks by name, in words; empty if there are none."""


class ContrastFacts(_Facts):
    """One entry of ``compare``."""

    vary: str
    baseline: str
    within: tuple[str, ...]
    metrics: Mapping[str, float | None]
    test: Literal["permutation", "wilcoxon", "bootstrap"] = "permutation"
    correct: Literal["holm", "bh", "none"] = "holm"


class SideEffectFacts(_Facts):
    """What a level changes besides itself."""

    factor: str
    level: str
    baseline: str
    what: str
    before: str
    after: str


class DependenceFacts(_Facts):
    """A metric that is not independent of a system."""

    metric: str
    system: str
    origin: str
    why: str


class FailureFacts(_Facts):
    """One line of ``failures.jsonl``."""

    cell: str
    clip: str
    seed: int = 0
    code: str
    message: str
    node: str | None = None
    second: float | None = None
    fix: str | None = None
    attempts: int = 1
    host: str = ""


class MachineFacts(_Facts):
    """A machine on which tasks ran."""

    host: str
    processor: str = ""
    cores: int = 0
    memory_mb: float = 0.0
    system: str = ""


class PageSettings(_Facts):
    """What the page shows: ``report`` of the experiment file."""

    clips: int = Field(3, ge=0)
    """Clips that the player offers, drawn with the experiment's seed."""
    worst: int = Field(5, ge=0)
    """Worst clips of each metric."""
    format: SoundFormat = "opus"


class Manifest(_Facts):
    """``manifest.json``."""

    version: Literal[1] = 1
    name: str
    title: str
    description: str = ""
    command: tuple[str, ...] = ()
    """As typed."""
    started: str = ""
    """ISO 8601, UTC."""
    finished: str | None = None
    stopped: bool = False
    """Whether it was stopped before everything was computed."""
    voicegraph: str = ""
    """Version of the package."""
    commit: str | None = None
    dirty: str | None = None
    """SHA-256 of the changes since the commit; None if there are none."""
    packages: Mapping[str, str] = Field(default_factory=dict)
    """Distribution -> version."""
    machines: tuple[MachineFacts, ...] = ()
    store: str = ""
    """Folder of the store, absolute or relative to the run's folder."""
    hash: str = ""
    """Of the compiled experiment."""
    seeds: tuple[int, ...] = ()
    factors: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    """Factors that act on the clip: their levels are no choice between systems."""
    cells: tuple[CellFacts, ...] = ()
    clips: tuple[ClipFacts, ...] = ()
    targets: Mapping[str, TargetFacts] = Field(default_factory=dict)
    plans: Mapping[str, PlanReportFacts] = Field(default_factory=dict)
    metrics: tuple[MetricFacts, ...] = ()
    observers: tuple[ObserverFacts, ...] = ()
    contrasts: tuple[ContrastFacts, ...] = ()
    side_effects: tuple[SideEffectFacts, ...] = ()
    dependences: tuple[DependenceFacts, ...] = ()
    warnings: tuple[str, ...] = ()
    statistics_refused: str | None = None
    """Why nothing was tested, such as ``one speaker``; None if tests were made."""
    statistics_fix: str | None = None
    """Then the setting that is missing, such as ``clips.files``."""
    not_measured: tuple[str, ...] = ()
    """What a reader may expect and nobody measured, in sentences."""
    licences: Mapping[str, str] = Field(default_factory=dict)
    """Of voices, weights and packages."""
    page: PageSettings = Field(default_factory=PageSettings)  # pyright: ignore[reportArgumentType]


class AddedMeasures(_Facts):
    """Measures that came later, such as ratings of listeners: ``added/NAME.json`` of a run.

    A run shows them beside its own.
    """

    version: Literal[1] = 1
    name: str
    about: str = ""
    """Where they come from, in a sentence."""
    metrics: tuple[MetricFacts, ...] = ()
    values: tuple[ValueRow, ...] = ()
    tests: tuple[TestRow, ...] = ()
