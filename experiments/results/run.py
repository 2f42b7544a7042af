"""A finished run: its folder as frames, rows, sounds and new tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import ValidationError

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.providers import provided
from voicegraph.schemas.experiment_manifest import (
    AddedMeasures,
    ContrastFacts,
    FailureFacts,
    Manifest,
    MetricFacts,
)
from voicegraph.schemas.experiment_tables import Better, CellRow, CostRow, TestRow, ValueRow

from ..statistics.effects import Effects, factor_effects
from ..statistics.speakers import Unit
from ..store import Store
from . import _selection
from ._audio import read_index, read_sound
from ._frames import frame, frame_of
from .contrasts import Contrasts
from .difference import RunDifference, difference
from .means import MeanRow, cell_means
from .tables import as_columns, columns, read_table
from .test_table import TestTable

if TYPE_CHECKING:
    import pandas

MANIFEST = "manifest.json"
FAILURES = "failures.jsonl"
ADDED = "added"
_AGAIN = "run the experiment again: what is in the store is not computed again"
_FAILED = 8


class Run:
    """A finished run, or what there is of one.

    Open one with :meth:`open`, or get one from ``Experiment.run``. Frames need pandas (the extra
    ``experiment``); the methods that end in ``_rows`` do not.

    Attributes:
        folder: of the run.
        manifest: everything that the tables do not hold; metrics that were added later included.
    """

    def __init__(
        self, folder: Path, manifest: Manifest, added: Sequence[AddedMeasures] = ()
    ) -> None:
        self.folder = folder
        self._added = tuple(added)
        later = tuple(metric for one in added for metric in one.metrics)
        self.manifest = manifest.model_copy(update={"metrics": (*manifest.metrics, *later)})

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Opens the folder of a run.

        Raises:
            InputError: if it is none, or damaged.
        """
        path = Path(folder)
        found = path / MANIFEST
        try:
            manifest = Manifest.model_validate_json(found.read_text(encoding="utf-8"))
            added = [
                AddedMeasures.model_validate_json(one.read_text(encoding="utf-8"))
                for one in sorted((path / ADDED).glob("*.json"))
            ]
        except OSError as error:
            reason = "it has no manifest.json" if path.is_dir() else error.strerror
            text = f"{path} is not the folder of a run: {reason}"
            fix = "voicegraph experiment run FILE --out DIR makes one"
            raise InputError(Problem("no-run", text, fix=fix)) from None
        except (ValidationError, UnicodeDecodeError) as error:
            text = f"{path} holds a manifest that cannot be read: {_first(error)}"
            raise InputError(Problem("wrong-manifest", text, fix=_AGAIN)) from None
        return cls(path, manifest, added)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    # ---- rows

    @cached_property
    def _cells(self) -> tuple[CellRow, ...]:
        return read_table(self.folder, "cells", CellRow)

    @cached_property
    def _values(self) -> tuple[ValueRow, ...]:
        later = (value for one in self._added for value in one.values)
        return (*read_table(self.folder, "values", ValueRow), *later)

    @cached_property
    def _costs(self) -> tuple[CostRow, ...]:
        return read_table(self.folder, "costs", CostRow)

    @cached_property
    def _tests(self) -> tuple[TestRow, ...]:
        later = (test for one in self._added for test in one.tests)
        return (*read_table(self.folder, "tests", TestRow), *later)

    @cached_property
    def _sounds(self) -> Mapping[str, str]:
        return read_index(self.folder)

    def cell_rows(self) -> tuple[CellRow, ...]:
        """Each cell, clip and seed: levels, speaker, keys, how it ended."""
        return self._cells

    def value_rows(self) -> tuple[ValueRow, ...]:
        """Each value of a metric."""
        return self._values

    def cost_rows(self) -> tuple[CostRow, ...]:
        """Costs and latencies of cells."""
        return self._costs

    def test_rows(self) -> tuple[TestRow, ...]:
        """The tests that the file asked for."""
        return self._tests

    def mean_rows(self) -> list[MeanRow]:
        """Means of metrics over speakers in every cell, with intervals."""
        return cell_means(self._values)

    def failures(self) -> list[FailureFacts]:
        """What failed, with cell, clip and reason.

        Raises:
            InputError: if the file is damaged.
        """
        path = self.folder / FAILURES
        if not path.is_file():
            return []
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            return [FailureFacts.model_validate_json(line) for line in lines if line]
        except (ValidationError, UnicodeDecodeError) as error:
            text = f"{path} cannot be read: {_first(error)}"
            raise InputError(Problem("wrong-failures", text, fix=_AGAIN)) from None

    @property
    def exit_code(self) -> int:
        """8 if a cell failed or a metric raised an exception; else 0."""
        return _FAILED if self.failures() else 0

    # ---- frames

    def cells(self) -> pandas.DataFrame:
        """:meth:`cell_rows` as a frame; factors are columns ``factor.NAME``."""
        return frame(self._cells, CellRow, self.manifest.factors)

    def values(self) -> pandas.DataFrame:
        """:meth:`value_rows` as a long frame, with the levels of each cell."""
        levels = {cell.name: {**cell.levels} for cell in self.manifest.cells}
        rows = [{**as_columns(row), **_factors(levels.get(row.cell, {}))} for row in self._values]
        names = [*columns(ValueRow), *(f"factor.{name}" for name in self.manifest.factors)]
        return frame_of(rows, names)

    def table(self) -> pandas.DataFrame:
        """A wide frame: a row a cell, a column a metric with its mean over speakers."""
        rows = [(row.cell, row.metric, row.mean) for row in self.mean_rows()]
        wide = frame_of(rows, ("cell", "metric", "mean")).pivot(
            index="cell", columns="metric", values="mean"
        )
        cells = [cell.name for cell in self.manifest.cells if cell.name in wide.index]
        names = [one.name for one in self.manifest.metrics if one.name in wide.columns]
        return wide.loc[cells, names]

    def costs(self) -> pandas.DataFrame:
        """:meth:`cost_rows` as a frame."""
        return frame(self._costs, CostRow)

    def tests(self) -> pandas.DataFrame:
        """:meth:`test_rows` as a frame."""
        return frame(self._tests, TestRow)

    # ---- questions

    def compare(
        self,
        factor: str,
        baseline: str | None = None,
        within: Sequence[str] = (),
        metric: str | Sequence[str] | Mapping[str, float | None] | None = None,
        *,
        test: Literal["permutation", "wilcoxon", "bootstrap"] = "permutation",
        correct: Literal["holm", "bh", "none"] = "holm",
    ) -> TestTable:
        """Tests each level of a factor against a baseline, as an entry of ``compare`` does.

        Args:
            factor: what varies.
            baseline: its level; by default the first.
            within: factors that are held: one test for each combination of their levels. Over the
                levels of all other factors the speakers' values are averaged.
            metric: one or several names; a mapping gives margins of equivalence. By default all.
            test: how p is computed.
            correct: correction for the number of tests.

        Raises:
            PipelineError: if there is no such factor, level or metric.
        """
        contrast = ContrastFacts(
            vary=factor,
            baseline=_selection.baseline(self.manifest, factor, baseline),
            within=_selection.factors(self.manifest, within),
            metrics=_selection.metrics(self.manifest, metric),
            test=test,
            correct=correct,
        )
        return TestTable(self._contrasts().test(contrast), self._metrics, correct)

    def effects(self, metric: str) -> Effects:
        """Main effects of factors and interactions of pairs, over what all cells have.

        Args:
            metric: its name.

        Raises:
            PipelineError: if there is no such metric.
        """
        (name, *_) = _selection.metrics(self.manifest, metric)
        factors = {one: levels for one, levels in self.manifest.factors.items() if len(levels) > 1}
        places = {
            cell.name: tuple(cell.levels[one] for one in factors)
            for cell in self.manifest.cells
            if cell.excluded is None and factors.keys() <= cell.levels.keys()
        }
        values: dict[tuple[str, ...], dict[Unit, float]] = {}
        for row in self._values:
            if row.metric == name and row.value is not None and row.cell in places:
                unit = Unit(row.speaker, row.clip, (), row.seed)
                values.setdefault(places[row.cell], {})[unit] = row.value
        return factor_effects(values, factors)

    @property
    def _metrics(self) -> dict[str, MetricFacts]:
        return {metric.name: metric for metric in self.manifest.metrics}

    def _contrasts(self) -> Contrasts:
        better: dict[str, Better] = {one.name: one.better for one in self.manifest.metrics}
        return Contrasts(
            self.manifest.cells,
            self._values,
            self._costs,
            better,
            self.manifest.factors,
            self.manifest.statistics_refused,
        )

    def against(self, other: Run | str | Path) -> RunDifference:
        """What this run has that another has differently; ``other`` is the reference."""
        return difference(other if isinstance(other, Run) else Run.open(other), self)

    # ---- sounds and pages

    def sound(self, key: str) -> tuple[np.ndarray, int]:
        """A sound float32 ``[samples]`` by its key in ``cells``, and its rate in Hz.

        Raises:
            KeyError: if neither the folder nor the store has it.
        """
        store = Store((self.folder / self.manifest.store).absolute())
        return read_sound(self.folder, self._sounds, store, key)

    def audio(
        self,
        *,
        clip: int | str = 0,
        seed: int | None = None,
        what: Literal["made", "given", "source"] = "made",
        **levels: str,
    ) -> tuple[np.ndarray, int]:
        """A sound float32 ``[samples]`` and its rate in Hz.

        Args:
            clip: name of the clip, or its number in the draw.
            seed: by default the first.
            what: the output of the system, its input, or the clean clip.
            levels: of factors, as far as they are needed to name one cell; ``target``, too.

        Raises:
            PipelineError: if no cell or several have these levels, or there is no such clip.
            InputError: if the sound is no longer there.
        """
        row = _selection.cell_row(self.manifest, self._cells, levels, clip, seed)
        key = {"made": row.sound, "given": row.given, "source": row.source}[what]
        try:
            return self.sound(key)
        except KeyError:
            text = f"the sound of {row.cell}: {row.clip} is neither in {self.folder / 'audio'} "
            text += f"nor in the store {self.manifest.store}"
            if row.status != "done":
                text = f"there is no sound of {row.cell}: {row.clip}: it is {row.status}"
            raise InputError(Problem("no-sound", text, fix=_AGAIN)) from None

    def report(self, path: str | Path | None = None) -> Path:
        """Writes the page; by default ``report.html`` in the folder.

        Raises:
            OutputError: if it cannot be written.
        """
        target = Path(path) if path is not None else self.folder / "report.html"
        provided("experiment_report")(self, target)
        return target


def _factors(levels: Mapping[str, str]) -> dict[str, str]:
    return {f"factor.{name}": level for name, level in levels.items()}


def _first(error: ValidationError | UnicodeDecodeError) -> str:
    """The first mistake in a file, in a few words."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no UTF-8"
    found = error.errors(include_url=False)[0]
    place = ".".join(map(str, found["loc"]))
    return f"{place}: {found['msg']}" if place else json.dumps(found["msg"])[1:-1]
