"""Writing a run: tables, manifest, summary and sounds of what an experiment has computed so far."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from voicegraph.graph.errors import Problem
from voicegraph.graph.files.atomic_write import write_text
from voicegraph.schemas.experiment_manifest import FailureFacts, Manifest
from voicegraph.schemas.experiment_tables import Better, CostRow, TestRow

from ..compiled import CompiledExperiment
from ..statistics.refusal import refusal
from ..store import Store
from ..task import Outcome
from ._audio import Keep, keep_sounds
from ._cost_rows import cost_rows
from ._manifest import Invocation, explained_before, manifest
from ._measured import Measured, measure
from .contrasts import Contrasts
from .means import cell_means
from .run import FAILURES, MANIFEST, Run
from .summary import summary
from .tables import Format, require_format, write_table


def write_run(
    compiled: CompiledExperiment,
    outcomes: Iterable[Outcome],
    store: Store,
    folder: Path,
    *,
    format: Format = "parquet",  # noqa: A002 - the option's name
    command: Sequence[str] = (),
    started: datetime | None = None,
    keep_audio: Keep | None = None,
) -> Run:
    """Writes what the store has of an experiment; also of a part, at any time.

    Values of metrics are computed from stored observations, tests on what both sides of a contrast
    have. Files of an earlier call are replaced; nothing else in the folder is touched.

    Args:
        compiled: the experiment.
        outcomes: how tasks ended. None is needed of tasks whose results are in the store.
        store: the results.
        folder: of the run; it is made if it is missing.
        format: of the tables.
        command: as typed.
        started: when the run began; by default now.
        keep_audio: which sounds are copied into the folder; by default what the file says.

    Raises:
        DamagedResultError: if a stored result is damaged. It is no longer in the store then, so
            its task is to be run again.
        OutputError: if a file cannot be written.
        PipelineError: if the format needs a package that is missing.
    """
    require_format(format)
    measured = measure(compiled, outcomes, store)
    costs = cost_rows(compiled, store)
    refused = refusal(compiled.clips, compiled.resolved.get("clips"))
    tests = _tests(compiled, measured, costs, refused)
    invocation = Invocation(
        command=command,
        started=started or datetime.now(UTC),
        stopped=any(row.status == "missing" for row in measured.cells),
        hosts={row.host for row in measured.cells},
        store=store.path,
    )
    facts = manifest(compiled, invocation, refused, explained_before(folder))
    _write_tables(folder, compiled, measured, costs, tests, format)
    _write_texts(folder, compiled, facts, measured, costs, tests)
    kept = keep_audio or (compiled.resolved.get("keep") or {}).get("audio") or "report"
    keep_sounds(folder, facts, measured.cells, measured.values, store, kept)
    return Run.open(folder)


def _tests(
    compiled: CompiledExperiment,
    measured: Measured,
    costs: Sequence[CostRow],
    refused: Problem | None,
) -> list[TestRow]:
    better: dict[str, Better] = {metric.name: metric.better for metric in compiled.metrics}
    contrasts = Contrasts(
        compiled.cells,
        measured.values,
        costs,
        better,
        compiled.factors,
        refused.message if refused else None,
    )
    return [row for contrast in compiled.contrasts for row in contrasts.test(contrast)]


def _write_tables(
    folder: Path,
    compiled: CompiledExperiment,
    measured: Measured,
    costs: Sequence[CostRow],
    tests: Sequence[TestRow],
    format: Format,  # noqa: A002 - as above
) -> None:
    tables: dict[str, Sequence[Any]] = {
        "cells": measured.cells,
        "values": measured.values,
        "costs": costs,
        "tests": tests,
    }
    for name, rows in tables.items():
        write_table(folder, name, rows, compiled.factors, format)


def _write_texts(
    folder: Path,
    compiled: CompiledExperiment,
    facts: Manifest,
    measured: Measured,
    costs: Sequence[CostRow],
    tests: Sequence[TestRow],
) -> None:
    means = cell_means(measured.values)
    texts = {
        "experiment.yaml": compiled.text,
        "resolved.yaml": _resolved(compiled),
        FAILURES: _lines(measured.failures),
        "summary.md": summary(facts, measured.cells, means, costs, tests, measured.failures),
        MANIFEST: facts.model_dump_json(indent=1) + "\n",  # last: a run has one
    }
    for name, text in texts.items():
        write_text(folder / name, text, force=True)


def _lines(failures: Iterable[FailureFacts]) -> str:
    return "".join(one.model_dump_json() + "\n" for one in failures)


def _resolved(compiled: CompiledExperiment) -> str:
    """The file with every default; clips and files that were used follow as comments."""
    plain = json.loads(json.dumps(compiled.resolved))
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)
    lines = ["", "# Clips that were drawn: name, speaker, SHA-256, file"]
    lines += [
        _comment(clip.name, clip.speaker, clip.sha256, str(clip.path)) for clip in compiled.clips
    ]
    lines.append("# Files that plans read: node and param, SHA-256")
    files = {item for plan in compiled.plans.values() for item in plan.files.items()}
    lines += [_comment(*item) for item in sorted(files)]
    return text + "\n".join(lines) + "\n"


def _comment(*words: str) -> str:
    return "#   " + "  ".join(json.dumps(word)[1:-1] for word in words)
