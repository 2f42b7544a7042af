"""``voicegraph check``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.schemas.report import CheckReport

Cli = Callable[..., tuple[int, str, str]]


def test_valid_pipeline_is_summarised(cli: Cli, place: Path) -> None:
    code, out, err = cli("check", "good.yaml")
    assert (code, err) == (0, "")
    assert out == (
        "good.yaml: ok, 1 node, block 10ms, audio 48000 Hz x1 -> audio 48000 Hz x1, "
        "algorithmic latency 0s\n"
        f"  reads   {place / 'good.yaml'}   (pipeline)\n"
        "  warning: unused is pruned: nothing that reaches the output uses it\n"
    )


def test_all_problems_at_once_with_their_places(cli: Cli) -> None:
    code, out, _ = cli("check", "bad.yaml")
    assert code == 2
    for place in ("3:14", "4:28", "4:48", "4:53", "5:9", "7:1"):
        assert f"bad.yaml:{place}  " in out
    assert "fix: nodes.low.use: dsp.gain\n" in out
    assert out.endswith("bad.yaml: 6 problems\n")


def test_several_pipelines_are_all_checked(cli: Cli) -> None:
    code, out, _ = cli("check", "bad.yaml", "good.yaml", "world")
    assert code == 2
    assert "bad.yaml: 6 problems\ngood.yaml: ok, " in out
    assert "\nworld: ok, " in out


def test_overrides_are_checked_too(cli: Cli) -> None:
    assert cli("check", "good.yaml", "--set", "vars.db=-3")[0] == 0
    code, out, _ = cli("check", "good.yaml", "--set", "vars.db=100")
    assert code == 2
    assert "low (dsp.gain): db is 100, expected at most 60" in out
    assert cli("check", "good.yaml", "--profile", "quiet")[0] == 0
    code, out, _ = cli("check", "good.yaml", "--profile", "quite")
    assert code == 2
    assert "fix: --profile quiet" in out


def test_params_lost_in_a_swap_are_a_warning(cli: Cli) -> None:
    code, out, _ = cli("check", "good.yaml", "--set", "nodes.low.use=dsp.to_mono")
    assert code == 0
    assert (
        "  warning: low: dsp.to_mono does not have these params of the node it replaces: db" in out
    )


def test_float16_on_a_cpu_is_a_warning(cli: Cli) -> None:
    code, out, _ = cli("check", "default-live", "--set", "nodes.content.dtype=float16")
    assert code == 0
    assert "  warning: content: float16 is slow on a CPU, which computes it in float32: use" in out


def test_json_is_a_check_report(cli: Cli) -> None:
    code, out, err = cli("check", "--json", "good.yaml", "bad.yaml", "nothing.yaml")
    assert (code, err) == (2, "")
    report = CheckReport.model_validate_json(out)
    assert [entry.ok for entry in report.pipelines] == [True, False, False]
    assert report.pipelines[0].warnings == [
        "unused is pruned: nothing that reaches the output uses it"
    ]
    assert len(report.pipelines[1].problems) == 6
    first = report.pipelines[1].problems[0]
    assert (first.code, first.line, first.column) == ("unknown-node", 3, 14)
    assert report.pipelines[2].problems[0].code == "no-such-file"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("block: 10ms\n\tnodes: {}\n", "s.yaml:2:1  not valid YAML"),
        ("", "s.yaml:1:1  the file is empty"),
        ("- 1\n", "a pipeline file is a mapping"),
        ("block: !!python/object:os.system x\n", "the tag !!python/object:os.system"),
    ],
)
def test_files_that_are_not_pipelines(cli: Cli, place: Path, source: str, expected: str) -> None:
    (place / "s.yaml").write_text(source, encoding="utf-8")
    code, out, _ = cli("check", "s.yaml")
    assert code == 2
    assert expected in out
    assert out.endswith("s.yaml: 1 problem\n")


def test_no_pipeline_is_a_usage_error(cli: Cli) -> None:
    code, out, err = cli("check")
    assert (code, out) == (2, "")
    assert "PIPELINE" in err


def test_misspelt_option_is_a_usage_error(cli: Cli) -> None:
    code, _, err = cli("check", "good.yaml", "--jsn")
    assert code == 2
    assert "--json" in err


def test_unknown_pipeline_is_reported(cli: Cli) -> None:
    code, out, _ = cli("check", "wrold")
    assert code == 2
    assert "no shipped pipeline is called 'wrold'" in out
    assert "fix: voicegraph check world" in out


def test_json_of_a_failing_command_is_json(cli: Cli) -> None:
    code, out, _ = cli("explain", "bad.yaml", "--json")
    assert code == 2
    assert len(json.loads(out)["problems"]) == 6
