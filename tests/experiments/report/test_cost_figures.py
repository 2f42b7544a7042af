"""Which pictures of quality against cost there are, and what they leave out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from voicegraph.experiments.report._cost_figures import CostTables, cost_figures
from voicegraph.experiments.results.means import MeanRow

from .synthetic_run import METRICS, SyntheticRun, name_of, synthetic_run

CELL = name_of("world", "dio", "clean")


def _tables(run: SyntheticRun) -> CostTables:
    means: Mapping[tuple[str, str], MeanRow] = {
        (row.cell, row.metric): row for row in run.mean_rows()
    }
    return CostTables(run.manifest, run.manifest.cells, means, run.costs, "tracker")


def test_each_condition_has_a_front() -> None:
    found = cost_figures(_tables(synthetic_run()), METRICS[:1])
    assert found.grouped
    for figure in found.figures:
        assert [*figure.fronts] == ["clean", "pink20"]
        for noise, cells in figure.fronts.items():
            assert cells
            assert all(cell.endswith(f"noise={noise}") for cell in cells)


def test_each_target_has_a_front() -> None:
    run = synthetic_run()
    cells = [
        cell.model_copy(
            update={"target": "michael" if cell.levels["tracker"] == "dio" else "heart"}
        )
        for cell in run.manifest.cells
    ]
    tables = replace(_tables(run), cells=cells)
    found = cost_figures(tables, METRICS[:1])
    groups = {f"{noise}, {who}" for noise in ("clean", "pink20") for who in ("heart", "michael")}
    assert {*found.figures[0].fronts} == groups


def test_a_metric_that_never_varies_has_no_picture() -> None:
    run = synthetic_run()
    run.values = [
        replace(row, value=0.5) if row.metric == "quality.distillmos" else row for row in run.values
    ]
    found = cost_figures(_tables(run), METRICS[:3])
    assert found.flat == ["DistillMOS"]
    assert [figure.title for figure in found.figures] == [
        "word error rate against CPU of a block",
        "word error rate against latency",
        "gross F0 errors against CPU of a block",
        "gross F0 errors against latency",
    ]


def test_blocks_of_other_lengths_are_compared_by_what_they_take_of_a_core() -> None:
    run = synthetic_run()
    plans = dict(run.manifest.plans)
    first = next(iter(plans))
    plans[first] = plans[first].model_copy(update={"block_ms": 500.0})
    run.manifest = run.manifest.model_copy(update={"plans": plans})
    run.costs = [replace(row, name="cpu_rtf", unit="") for row in run.costs]
    cpu, _ = cost_figures(_tables(run), METRICS[:1]).figures
    assert cpu.title == "DistillMOS against share of a core"


def test_cells_without_a_cost_are_named() -> None:
    run = synthetic_run()
    run.costs = [row for row in run.costs if row.cell != CELL]
    cpu, latency = cost_figures(_tables(run), METRICS[:1]).figures
    assert (cpu.absent, latency.absent) == ([CELL], [])


def test_why_there_is_no_picture() -> None:
    run = synthetic_run()
    tables = _tables(run)
    assert cost_figures(tables, ()).why_none.startswith("No metric with a better direction")
    assert cost_figures(replace(tables, means={}), METRICS[:1]).why_none.startswith("There are no")
    alike = replace(tables, cells=tables.cells[:2], costs=())  # one plan in two conditions
    assert "metric `cost`" in cost_figures(alike, METRICS[:1]).why_none
    assert cost_figures(replace(alike, costs=run.costs), METRICS[:1]).why_none == (
        "All cells cost the same."
    )
