"""Compiles an experiment: cells, plans and every task, before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

from voicegraph.graph.errors import (
    Mark,
    PipelineError,
    Problem,
    Problems,
    VoicegraphError,
    place_of,
)
from voicegraph.graph.registry import load_file as load_nodes_file

from ..compiled import CompiledExperiment
from ..file.loaded_experiment import LoadedExperiment
from ..registry import load_file as load_metrics_file
from ..store.location import default_store, store_path
from ..store.store import Store
from ..work.code_identity import digest
from ._grid import Grid


def compile_experiment(
    loaded: LoadedExperiment, *, store: Store | None = None, resolve: bool = False
) -> CompiledExperiment:
    """Compiles an experiment. Nothing runs; nothing is written unless ``resolve`` is set.

    Files of nodes and metrics that it names are loaded into this process.

    Args:
        loaded: the experiment.
        store: remembers what ``dtype: auto`` means on this kind of machine.
        resolve: try it where it is not known, which loads weights; the answer is kept in the
            store, and pinned in every task.

    Raises:
        PipelineError: with all mistakes of all cells at once, each with its place.
    """
    problems = Problems(found=list(loaded.problems))
    _load_python(loaded, problems)
    problems.raise_if_any()  # without its nodes, every plan would fail
    grid = Grid(loaded, store, resolve, problems)
    grid.compile()
    if problems.found:
        raise PipelineError(_each_once(problems.found))
    return _compiled(loaded, grid)


def _load_python(loaded: LoadedExperiment, problems: Problems) -> None:
    files = [
        ("nodes", number, path, load_nodes_file) for number, path in enumerate(loaded.nodes_files)
    ]
    files += [
        ("metrics_files", number, path, load_metrics_file)
        for number, path in enumerate(loaded.metrics_files)
    ]
    for key, number, path, load in files:
        mark = loaded.source_map.value((key, number))
        try:
            load(path)
        except VoicegraphError as error:
            problems.found += [_placed(problem, mark) for problem in error.problems]


def _placed(problem: Problem, mark: Mark) -> Problem:
    place = problem.mark or mark
    return Problem(problem.code, problem.message, place, problem.notes, problem.fix)


def _each_once(found: list[Problem]) -> list[Problem]:
    """Problems in the order of their places; one that several cells have is told once.

    What differs only in the system with which it was found is one mistake.
    """
    kept: dict[tuple[object, ...], Problem] = {}
    for problem in found:
        kept.setdefault((problem.code, problem.mark, problem.message, problem.fix), problem)
    return sorted(kept.values(), key=place_of)


def _compiled(loaded: LoadedExperiment, grid: Grid) -> CompiledExperiment:
    resolved = loaded.as_json()
    tasks = grid.tasks.ordered()
    keys = [task.key for task in tasks]
    return CompiledExperiment(
        name=loaded.name,
        path=loaded.path,
        title=loaded.file.report.title or loaded.name,
        text=loaded.text,
        resolved=resolved,
        hash=digest((json.dumps(resolved, sort_keys=True), keys)),
        factors={
            factor: tuple(name for name in levels if (factor, name) not in grid.left_out)
            for factor, levels in loaded.factors.items()
        },
        cells=grid.cells,
        clips=grid.clips,
        targets=grid.targets,
        seeds=loaded.file.seeds,
        plans=grid.systems.facts,
        items=grid.items,
        tasks=tasks,
        observed=grid.tasks.observed,
        metrics=grid.metrics,
        costs=grid.costs,
        target_sounds=grid.target_sounds,
        contrasts=grid.contrasts,
        side_effects=grid.side_effects,
        dependences=grid.dependences,
        goals=dict(loaded.file.goals),
        warnings=_each_once(grid.warnings),
        packages=dict(sorted(grid.tasks.keys.packages.items())),
        conditions=tuple(
            factor
            for factor, levels in loaded.factors.items()
            if any(level.kind == "condition" for level in levels.values())
        ),
    )


def store_folder(loaded: LoadedExperiment, run_folder: Path) -> Path:
    """The folder in which the results of an experiment lie.

    Args:
        loaded: the experiment.
        run_folder: of the run, in which they are with ``store: null``.
    """
    given = loaded.file.store
    if given == "default":
        return default_store()
    return store_path(None if given is None else loaded.resolve(("store",), given), run_folder)
