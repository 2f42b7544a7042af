"""What is compared: entries of ``compare`` with their defaults."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from voicegraph.graph.errors import Problem, Problems
from voicegraph.schemas.experiment_clips import Draw
from voicegraph.schemas.experiment_measures import Comparison

from ..compiled import Cell, Contrast
from ..file.loaded_experiment import LoadedExperiment
from ..metric import Metric
from ..statistics.reachable_p import NEEDED, speakers_needed, tests_possible, why_unreachable


def contrasts(
    loaded: LoadedExperiment,
    metrics: Sequence[Metric],
    left_out: Collection[str],
    problems: Problems,
) -> list[Contrast]:
    """The contrasts of a file; unknown metrics are added to ``problems``.

    Metrics that are left out, since their packages are missing, are not compared.
    """
    return [
        _contrast(loaded, number, entry, metrics, left_out, problems)
        for number, entry in enumerate(loaded.file.compare)
    ]


def _contrast(
    loaded: LoadedExperiment,
    number: int,
    entry: Comparison,
    metrics: Sequence[Metric],
    left_out: Collection[str],
    problems: Problems,
) -> Contrast:
    known = {metric.name: metric for metric in metrics}
    if entry.metrics is None:
        chosen = {name: None for name, metric in known.items() if metric.better is not None}
    else:
        chosen = {}
        for name, spec in entry.metrics.items():
            if name in known:
                chosen[name] = None if spec is None else spec.margin
            if name in known or {name, name.partition(".")[0]} & {*left_out}:
                continue
            mark = loaded.source_map.value(("compare", number, "metrics", name))
            listed = ", ".join(known) or "none"
            text = f"{name} is not measured; the metrics of this experiment are: {listed}"
            problems.add("unknown-metric", text, mark, fix=f"add {name} to metrics")
    others = [factor for factor in loaded.factors if factor != entry.vary]
    if loaded.targets:
        others.append("target")
    return Contrast(
        vary=entry.vary,
        baseline=entry.baseline or loaded.baseline(entry.vary),
        within=tuple(others if entry.within is None else entry.within),
        metrics=chosen,
        test=entry.test,
        correct=entry.correct,
    )


def baseline_cell(cell: Cell, contrast: Contrast, cells: Sequence[Cell]) -> Cell | None:
    """The cell with the baseline in place of a cell's level; None if it is that, or missing."""
    level = cell.levels.get(contrast.vary)
    if level is None or level == contrast.baseline:
        return None
    wanted = {**cell.levels, contrast.vary: contrast.baseline}
    return next(
        (
            other
            for other in cells
            if other.levels == wanted
            and other.target == cell.target
            and other.excluded is None
            and other.plan is not None
        ),
        None,
    )


def compared_pairs(cells: Sequence[Cell], contrast: Contrast) -> set[tuple[str, tuple[Any, ...]]]:
    """(level, levels of the factors that are held) of all that a contrast compares."""
    named = [
        {**cell.levels, "target": cell.target or ""} for cell in cells if cell.excluded is None
    ]
    held = [tuple(levels.get(factor) for factor in contrast.within) for levels in named]
    varied = [levels.get(contrast.vary) for levels in named]
    bases = {key for level, key in zip(varied, held, strict=True) if level == contrast.baseline}
    return {
        (level, key)
        for level, key in zip(varied, held, strict=True)
        if level not in (None, contrast.baseline) and key in bases
    }


def metrics_of_clips(contrast: Contrast, metrics: Sequence[Metric]) -> list[str]:
    """The metrics of a contrast whose tests are one family.

    Those of plans, costs and latencies, have no speakers and are not corrected.
    """
    return [one.name for one in metrics if one.per == "clip" and one.name in contrast.metrics]


def too_large_families(
    loaded: LoadedExperiment,
    found: Sequence[Contrast],
    cells: Sequence[Cell],
    metrics: Sequence[Metric],
    speakers: int,
) -> Iterator[Problem]:
    """A warning for each contrast of which no test can come out, however clear a difference is.

    Args:
        loaded: the experiment.
        found: its contrasts.
        cells: all cells.
        metrics: all metrics.
        speakers: of the clips; fewer than a test needs are told elsewhere.
    """
    for number, contrast in enumerate(found):
        tests = len(compared_pairs(cells, contrast)) * len(metrics_of_clips(contrast, metrics))
        why = why_unreachable(speakers, contrast.test, tests, contrast.correct)
        if speakers >= NEEDED and why:
            mark = loaded.source_map.value(("compare", number))
            fix = _mended(loaded.file.clips.draw, contrast, speakers, tests)
            yield Problem("family-too-large", why, mark, fix=fix)


def _mended(draw: Draw | None, contrast: Contrast, speakers: int, tests: int) -> str:
    """What makes a difference reachable: more speakers, fewer tests, or another correction."""
    needed = speakers_needed(contrast.test, tests, contrast.correct)
    more = f"clips.files: FOLDER, with recordings of {needed} speakers or more"
    if draw is not None and draw.speakers is not None:
        more = f"clips.draw.speakers: {needed}  (or --set clips.draw.speakers={needed})"
    most = tests_possible(speakers, contrast.test)
    fewer = "1 test" if most == 1 else f"{most} tests"
    return "\n".join(
        [
            more,
            f"or at most {fewer}: fewer `metrics`, or fewer factors in `within`, of this entry",
            "or `correct: bh` in this entry, which bounds the share of wrong findings only",
        ]
    )
