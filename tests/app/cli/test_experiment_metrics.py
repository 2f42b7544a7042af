"""``voicegraph experiment metrics``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.experiments import observers, packages, registry
from voicegraph.schemas.experiment_metrics import MetricsReport

Cli = Callable[..., tuple[int, str, str]]
COMMAND = ("experiment", "metrics")
OWN = """
from voicegraph.experiments import Observer, metric, observer

@observer("creak.zeros", licence="MIT")
class Zeros(Observer):
    def observe(self, audio):
        return {"share": (audio == 0).mean()}

@metric("creak.share", of="creak.zeros", better="lower", span=(0, 1))
def share(made):
    \"\"\"Share of samples that are zero.\"\"\"
    return made["share"]
"""


def test_everything_is_listed(cli: Cli) -> None:
    code, out, _ = cli(*COMMAND)
    assert code == 0
    lines = {line.split()[0]: line for line in reversed(out.splitlines()) if line.strip()}
    assert lines["quality.dnsmos"].split()[:6] == [
        "quality.dnsmos", "MOS", "higher", "0", "..", "6",
    ]  # fmt: skip
    assert "of a plan" in lines["cost.cpu_ms"]
    assert lines["phones.hama"].split()[2] == "lower"
    assert {"words.whisper", "noise", "truth", "speaker.ge2e"} <= lines.keys()


def test_the_report_has_all_of_it(cli: Cli) -> None:
    code, out, _ = cli(*COMMAND, "--json")
    assert code == 0
    report = MetricsReport.model_validate(json.loads(out))
    assert {o.name for o in report.observers} >= observers.BUILTIN.keys()
    assert not [each for each in (*report.families, *report.conditions) if each.error]
    hama = next(o for o in report.observers if o.name == "phones.hama")
    assert "hama" in hama.origins
    assert [need.package for need in hama.needs] == ["hama==1.7.0"]


def test_one_family_is_described(cli: Cli) -> None:
    code, out, _ = cli(*COMMAND, "likeness")
    assert code == 0
    for said in ("likeness.target", "params", "speaker.ge2e", "ICASSP 2018", "- likeness"):
        assert said in out
    assert "quality" not in out


def test_missing_packages_come_with_the_command(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "is_installed", lambda module: module != "distillmos")
    _, out, _ = cli(*COMMAND, "mos.distillmos")
    assert "-m pip install --no-deps distillmos==0.9.1" in out


def test_own_metrics_are_listed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "creak.py").write_text(OWN)
    with registry.isolated():
        code, out, _ = cli(*COMMAND, "creak", "--metrics-file", str(tmp_path / "creak.py"))
    assert code == 0
    assert "Share of samples that are zero." in out


def test_unknown_names_get_the_nearest(cli: Cli) -> None:
    code, _, err = cli(*COMMAND, "qualty")
    assert code == 2
    assert "no metric, observer or condition is called qualty" in err
    assert "fix: voicegraph experiment metrics quality" in err
