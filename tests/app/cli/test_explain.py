"""``voicegraph explain``."""

from __future__ import annotations

from collections.abc import Callable

from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.plan_report import PlanReport

Cli = Callable[..., tuple[int, str, str]]


def test_plan_is_explained_as_text(cli: Cli) -> None:
    code, out, err = cli("explain", "good.yaml")
    assert (code, err) == (0, "")
    assert out == Pipeline.load("good.yaml").compile().explain()


def test_overrides_change_the_plan(cli: Cli) -> None:
    code, out, _ = cli("explain", "good.yaml", "--set", "nodes.off.enabled=true")
    assert code == 0
    assert "off (dsp.limiter) reads ahead in audio" in out


def test_json_is_a_plan_report(cli: Cli) -> None:
    code, out, _ = cli("explain", "good.yaml", "--profile", "quiet", "--json")
    assert code == 0
    report = PlanReport.model_validate_json(out)
    assert report.nodes[0].params == {"db": -20.0}
    assert report.bypassed == ["off"]
    assert report.pruned == ["unused"]


def test_all_problems_are_reported_at_once(cli: Cli) -> None:
    code, out, err = cli("explain", "bad.yaml")
    assert (code, out) == (2, "")
    assert err.count("bad.yaml:") == 6
    assert err.endswith("6 problems\n")


def test_bundled_pipeline_fits_one_page(cli: Cli) -> None:
    code, out, _ = cli("explain", "world")
    assert code == 0
    assert len(out.splitlines()) < 66
    assert max(len(line) for line in out.splitlines()) <= 110
