"""Two runs compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.experiments.results.difference import difference
from voicegraph.experiments.results.run import Run
from voicegraph.graph.errors import InputError, PipelineError
from voicegraph.schemas.experiment_difference import RunDifferenceReport

from .conftest import make_run
from .synthetic import Synthetic, key, mean_of


def _shifted(by: float, metrics: tuple[str, ...] = ("error", "score"), **more: object) -> Synthetic:
    def number(levels: dict[str, str], speaker: str, clip: str, seed: int, metric: str) -> float:
        place = int(speaker[1:])
        return 0.5 + place / 50 + by * (1 + place / 10) * (levels["tracker"] == "swift")

    made = [mean_of(name, "lower" if name == "error" else "higher") for name in metrics]
    return Synthetic(number=number, metrics=made, contrasts=(), **more)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """A reference, and a run that is worse by .1 in two of four cells."""
    folder = tmp_path_factory.mktemp("two")
    return make_run(folder / "a", _shifted(0)), make_run(folder / "b", _shifted(0.1))


def _report(a: Run, b: Run, *within: str) -> RunDifferenceReport:
    return difference(a, b, within).report


def test_the_same_run_is_identical(runs: tuple[Run, Run]) -> None:
    found = difference(runs[0], runs[0], ["identical"])
    assert found.report.identical
    assert found.report.within is True
    assert "identical, bit by bit: 64 values in 4 cells" in str(found)


def test_values_are_paired_and_tested(runs: tuple[Run, Run]) -> None:
    report = _report(*runs)
    rows = {(row.cell, row.metric): row for row in report.values}
    assert len(rows) == 8
    changed = rows["tracker=swift, noise=clean", "toy.error"]
    assert changed.difference == pytest.approx(0.135)
    assert (changed.n, changed.pairs, changed.verdict) == (8, 8, "worse")
    assert rows["tracker=swift, noise=clean", "toy.score"].verdict == "better"
    assert changed.p_corrected == 4 * 2 / 256  # four comparisons can be tested
    same = rows["tracker=dio, noise=pink", "toy.error"]
    assert (same.identical, same.verdict) == (True, "not tested")
    assert same.why == "the values of both are the same"
    assert runs[1].against(runs[0]).report == report
    assert len(runs[1].against(runs[0].folder).values()) == 8


def test_costs_are_compared_on_one_machine(runs: tuple[Run, Run]) -> None:
    costs = {(row.cell, row.name): row for row in _report(*runs).costs}
    assert costs["tracker=swift, noise=clean", "cpu_ms"].a == 7.0
    assert costs["tracker=swift, noise=clean", "cpu_ms"].comparable


@pytest.mark.parametrize(
    ("limit", "ok", "cell"),
    [
        ("toy.error<=.2", True, "tracker=swift, noise=clean"),
        ("toy.error<=0.1", False, "tracker=swift, noise=clean"),
        ("toy.error >= 0", True, "tracker=dio, noise=clean"),
        ("toy.score>=1%", False, "tracker=dio, noise=clean"),
        ("cost.cpu_ms<=0.5", True, "tracker=dio, noise=clean"),
        ("identical", False, None),
    ],
)
def test_limits_are_judged_by_the_worst_cell(
    runs: tuple[Run, Run], limit: str, ok: bool, cell: str | None
) -> None:
    report = _report(*runs, limit)
    assert report.within is ok
    assert report.limits[0].cell == cell


@pytest.mark.parametrize(
    ("limit", "said", "fix"),
    [
        ("toy.eror<=.2", "there is no metric toy.eror; there are: toy.error", "'toy.error<=.2'"),
        ("toy.error=.2", "expected METRIC <= NUMBER", "'toy.error<=0.01'"),
        ("toy.error<=.2ms", "expected a number in the metric's own unit", "'toy.error<=.2'"),
        ("", "expected METRIC <= NUMBER", "'toy.error<=0.01'"),
    ],
)
def test_wrong_limits_are_told(runs: tuple[Run, Run], limit: str, said: str, fix: str) -> None:
    with pytest.raises(PipelineError, match=said) as error:
        _report(*runs, limit)
    assert error.value.problems[0].fix == f"--within {fix}"


def test_nothing_in_common_is_no_verdict(runs: tuple[Run, Run], tmp_path: Path) -> None:
    other = make_run(tmp_path / "c", Synthetic(factors={"block": ("40ms", "80ms")}, contrasts=()))
    with pytest.raises(InputError, match="have no cell in common"):
        _report(runs[0], other)


def test_what_a_run_lacks_is_listed(runs: tuple[Run, Run], tmp_path: Path) -> None:
    levels = {"tracker": ("dio", "yin"), "noise": ("clean",)}
    other = make_run(tmp_path / "c", _shifted(0, ("error",), factors=levels, speakers=6))
    report = _report(runs[0], other, "toy.score<=1", "toy.error<=1")
    assert "cell tracker=swift, noise=clean" in report.lacks_b
    assert "metric toy.score" in report.lacks_b
    assert "clip s07-0" in report.lacks_b
    assert report.lacks_a == ["cell tracker=yin, noise=clean"]
    assert [limit.ok for limit in report.limits] == [None, True]
    assert report.limits[0].why == "no cell of both runs has values of it"
    assert report.within is None
    assert [row.n for row in report.values] == [6]
    assert not report.identical


def test_clips_of_one_name_and_other_contents_are_not_paired(
    runs: tuple[Run, Run], tmp_path: Path
) -> None:
    other = make_run(tmp_path / "c", _shifted(0))
    path = other.folder / "manifest.json"
    text = path.read_text(encoding="utf-8").replace(key("clip", 3, 0), key("other"))
    path.write_text(text, encoding="utf-8")
    report = _report(runs[0], Run.open(other.folder))
    assert {row.n for row in report.values} == {7}
    assert "clip s03-0: other contents under the same name" in report.lacks_a


def test_plans_that_differ_are_named(runs: tuple[Run, Run], tmp_path: Path) -> None:
    other = make_run(tmp_path / "c", _shifted(0))
    path = other.folder / "manifest.json"
    plan = key("plan", "swift")
    text = path.read_text(encoding="utf-8")
    text = text.replace(plan, key("new")).replace(f'"f0.{plan[:4]}"', '"f0.new"')
    path.write_text(text, encoding="utf-8")
    report = _report(runs[0], Run.open(other.folder))
    assert {plan.cell for plan in report.plans} == {
        "tracker=swift, noise=clean",
        "tracker=swift, noise=pink",
    }
    assert report.plans[0].changes == [f"nodes.f0.use: f0.{plan[:4]} -> f0.new"]
    assert not report.identical
