"""Which tasks a run computes: all, those of some cells, or a pilot of a few clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voicegraph.graph.errors import PipelineError, Problem

from ..compiled import Cell, CompiledExperiment, Item
from ..file.cell_pattern import TARGET, CellPattern
from ..task import Task

_PILOT_SPEAKERS = 2


def select_tasks(
    compiled: CompiledExperiment, only: CellPattern | None = None, *, pilot: bool = False
) -> Sequence[Task]:
    """The tasks of a part of the grid, with everything that they need.

    Args:
        compiled: the experiment.
        only: levels of the cells that are wanted; None for all cells.
        pilot: one clip of each of the first two speakers, with the first seed, of every cell.

    Raises:
        PipelineError: if no cell has these levels.
    """
    if only is None and not pilot:
        return compiled.tasks
    if only is not None:
        _require_cells(compiled, only)
    cells = {cell.name for cell in compiled.cells if only is None or _matches(only, cell)}
    items = [item for item in compiled.items if item.cell in cells]
    if pilot:
        items = _pilot(compiled, items)
    sounds = {key for item in items for key in (item.source, item.given, item.made)}
    sounds |= {key for keys in compiled.target_sounds.values() for key in keys}
    wanted = sounds | {key for (sound, _), key in compiled.observed.items() if sound in sounds}
    wanted |= {key for (cell, _), key in compiled.costs.items() if cell in cells}
    return _with_needs(compiled.tasks, wanted)


def _matches(only: CellPattern, cell: Cell) -> bool:
    return only.matches({TARGET: cell.target or "", **cell.levels})


def _require_cells(compiled: CompiledExperiment, only: CellPattern) -> None:
    there = [cell for cell in compiled.cells if _matches(only, cell)]
    if any(cell.excluded is None for cell in there):
        return
    known = {TARGET: tuple(compiled.targets), **compiled.factors}
    factors = [f"{name}: {', '.join(levels)}" for name, levels in known.items() if levels]
    notes = tuple((text, None) for text in factors)
    text = f"no cell has {only}"
    if there:
        text = f"all cells with {only} are excluded: {there[0].excluded}"
    raise PipelineError(Problem("no-such-cell", text, notes=notes, fix="--only FACTOR=LEVEL"))


def _pilot(compiled: CompiledExperiment, items: Iterable[Item]) -> list[Item]:
    """Items of the first clip of some speakers, with the first seed; of targets, all speech."""
    first: dict[str, str] = {}
    for clip in compiled.clips:
        first.setdefault(clip.speaker, clip.name)
    clips = set(list(first.values())[:_PILOT_SPEAKERS])
    known = {clip.name for clip in compiled.clips}
    seed = compiled.seeds[0]
    return [
        item
        for item in items
        if item.clip.name not in known or (item.clip.name in clips and item.seed == seed)
    ]


def _with_needs(tasks: Sequence[Task], wanted: set[str]) -> list[Task]:
    by_key = {task.key: task for task in tasks}
    open_keys, found = list(wanted), set[str]()
    while open_keys:
        key = open_keys.pop()
        if key not in found and key in by_key:
            found.add(key)
            open_keys.extend(by_key[key].needs)
    return [task for task in tasks if task.key in found]
