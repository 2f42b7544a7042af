"""What is compared: entries of ``compare`` with their defaults."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from voicegraph.graph.errors import Problems
from voicegraph.schemas.experiment_measures import Comparison

from ..compiled import Cell, Contrast
from ..file.loaded_experiment import LoadedExperiment
from ..metric import Metric


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
