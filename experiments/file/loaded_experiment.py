"""A loaded experiment: a file after extending, overriding and substituting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import Problem
from voicegraph.graph.loading.overrides import Override
from voicegraph.graph.loading.source_map import KeyPath, SourceMap
from voicegraph.schemas.experiment import ExperimentFile
from voicegraph.schemas.experiment_clips import TargetSpec
from voicegraph.schemas.experiment_measures import OPTIONAL

from .cell_pattern import CellPattern
from .factor_levels import FactorLevel


@dataclass(frozen=True, slots=True)
class LoadedTarget:
    """A target.

    Attributes:
        name: its name.
        spec: what the file says.
        overrides: of pipelines, with their places in the file.
    """

    name: str
    spec: TargetSpec
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricEntry:
    """An entry of ``metrics``.

    Attributes:
        name: the metric, or family of metrics.
        value: its params as written: None, a mapping, or the value of the first one.
        optional: whether it may be left out if a package that it needs is missing.
        at: where it is in the file.
    """

    name: str
    value: Any
    optional: bool
    at: KeyPath


@dataclass(frozen=True)
class LoadedExperiment:
    """An experiment file after extending, overriding and substituting.

    Attributes:
        name: the file's name without its ending, or the name given in Python.
        path: the file; None for an experiment built in Python.
        text: the file as given.
        file: the validated contents.
        source_map: where every value was written; it resolves file names, too.
        factors: factor -> name of the level -> level.
        pipeline: name or path of the pipeline of all cells, if no factor gives one.
        overrides: overrides of all pipelines, before those of levels.
        targets: by name.
        exclude: combinations that are left out.
        nodes_files: Python files with nodes, absolute.
        metrics_files: Python files with metrics, observers and conditions, absolute.
        files: the experiment files that were read, the file itself first.
        problems: mistakes that the grid reports together with its own.
    """

    name: str
    path: Path | None
    text: str
    file: ExperimentFile
    source_map: SourceMap
    factors: Mapping[str, Mapping[str, FactorLevel]]
    pipeline: str | Path | None = None
    overrides: tuple[Override, ...] = ()
    targets: Mapping[str, LoadedTarget] = field(default_factory=dict)
    exclude: tuple[CellPattern, ...] = ()
    nodes_files: tuple[Path, ...] = ()
    metrics_files: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def metrics(self) -> tuple[MetricEntry, ...]:
        """What is measured, in the order of the file."""
        return tuple(
            MetricEntry(name, value, entry.get(OPTIONAL, False), ("metrics", number))
            for number, entry in enumerate(self.file.metrics)
            for name, value in entry.items()
            if name != OPTIONAL
        )

    def resolve(self, at: KeyPath, name: str) -> Path:
        """The absolute path of a file name that is written at ``at``."""
        return self.source_map.resolve(at, name)

    def baseline(self, factor: str) -> str:
        """The level of a factor that others are compared with."""
        return self.file.baseline.get(factor) or next(iter(self.factors[factor]))

    def as_json(self) -> dict[str, Any]:
        """The file with every default, as JSON values under the keys of a file."""
        return self.file.model_dump(mode="json", by_alias=True)
