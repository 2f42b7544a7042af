"""Naming parts of a run: factors, levels, metrics, one clip of one cell."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.schemas.experiment_manifest import Manifest
from voicegraph.schemas.experiment_tables import CellRow

from .contrasts import TARGET, all_levels


def baseline(manifest: Manifest, factor: str, level: str | None) -> str:
    """The level that others are compared with; by default the first of the factor."""
    known = _levels(manifest)
    _require(factor, known, "factor")
    if level is None:
        return known[factor][0]
    _require(level, known[factor], f"level of {factor}")
    return level


def factors(manifest: Manifest, names: str | Sequence[str]) -> tuple[str, ...]:
    """Factors by name."""
    given = (names,) if isinstance(names, str) else tuple(names)
    for name in given:
        _require(name, _levels(manifest), "factor")
    return given


def metrics(
    manifest: Manifest, given: str | Sequence[str] | Mapping[str, float | None] | None
) -> dict[str, float | None]:
    """Metrics with margins; families and nothing are allowed."""
    if given is None:
        return {}
    if isinstance(given, str):
        given = (given,)
    found = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given)
    names = [metric.name for metric in manifest.metrics]
    for name in found:
        _require(name, [*names, *(each.partition(".")[0] for each in names)], "metric")
    return found


def cell_row(
    manifest: Manifest,
    rows: Iterable[CellRow],
    levels: Mapping[str, str],
    clip: int | str,
    seed: int | None,
) -> CellRow:
    """One clip of the one cell that has these levels.

    Raises:
        PipelineError: if there is none, or several.
    """
    known = _levels(manifest)
    for factor, level in levels.items():
        _require(factor, known, "factor")
        _require(level, known[factor], f"level of {factor}")
    cells = [
        cell
        for cell in manifest.cells
        if all(all_levels(cell).get(factor) == level for factor, level in levels.items())
    ]
    if len(cells) != 1:
        raise PipelineError(_not_one([cell.name for cell in cells], levels))
    mine = [row for row in rows if row.cell == cells[0].name]
    name = _clip(manifest, mine, clip)
    found = [row for row in mine if row.clip == name and seed in (None, row.seed)]
    if not found:
        text = f"{cells[0].name} has no clip {name} with the seed {seed}"
        seeds = ", ".join(str(row.seed) for row in mine if row.clip == name) or "none"
        raise PipelineError(Problem("no-such-clip", f"{text}; its seeds: {seeds}"))
    return found[0]


def _levels(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Factors with their levels; targets count as one."""
    targets = {TARGET: tuple(manifest.targets)} if manifest.targets else {}
    return {**targets, **manifest.factors}


def _clip(manifest: Manifest, rows: Sequence[CellRow], clip: int | str) -> str:
    names = [each.name for each in manifest.clips if any(row.clip == each.name for row in rows)]
    names = names or list(dict.fromkeys(row.clip for row in rows))
    if isinstance(clip, str):
        _require(clip, names, "clip")
        return clip
    if not -len(names) <= clip < len(names):
        text = f"there is no clip {clip}: the cell has {len(names)}, counted from 0"
        raise PipelineError(Problem("no-such-clip", text))
    return names[clip]


def _not_one(cells: Sequence[str], levels: Mapping[str, str]) -> Problem:
    given = ", ".join(f"{factor}={level}" for factor, level in levels.items()) or "nothing"
    if not cells:
        return Problem("no-such-cell", f"no cell has {given}")
    text = f"{len(cells)} cells have {given}: give more levels"
    return Problem("several-cells", text, notes=tuple((cell, None) for cell in cells[:10]))


def _require(name: str, known: Iterable[str], kind: str) -> None:
    names = list(dict.fromkeys(known))
    if name not in names:
        text = f"there is no {kind} {name!r}; there are: {', '.join(names) or 'none'}"
        close = difflib.get_close_matches(name, names, 1)
        raise PipelineError(
            Problem(f"unknown-{kind.split()[0]}", text, fix=close[0] if close else None)
        )
