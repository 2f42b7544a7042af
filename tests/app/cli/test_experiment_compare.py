"""``voicegraph experiment compare`` and ``export``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.schemas.experiment_difference import RunDifferenceReport
from voicegraph.schemas.experiment_export import ExportReport

from ...experiments.results.conftest import make_run
from ...experiments.results.synthetic import Synthetic, mean_of

Cli = Callable[..., tuple[int, str, str]]
COMPARE, EXPORT = ("experiment", "compare"), ("experiment", "export")


def _made(by: float) -> Synthetic:
    def number(levels: dict[str, str], speaker: str, clip: str, seed: int, metric: str) -> float:
        place = int(speaker[1:])
        return 0.5 + place / 50 + by * (1 + place / 10) * (levels["tracker"] == "swift")

    return Synthetic(number=number, metrics=[mean_of("error")], contrasts=())


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs ``a`` and ``b``."""
    folder = tmp_path_factory.mktemp("two")
    for name, by in (("a", 0.0), ("b", 0.1)):
        shutil.copytree(make_run(folder / f"made-{name}", _made(by)).folder, folder / name)
    return folder


@pytest.fixture(autouse=True)
def _in_place(place: Path, two: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(two / name, place / name)


def test_report_names_both_and_what_differs(cli: Cli) -> None:
    code, out, err = cli(*COMPARE, "a", "b")
    assert (code, err) == (0, "")
    assert out.startswith("A   a: toys, 4 cells, 32 values; voicegraph ")
    row = next(line for line in out.splitlines() if line.startswith("tracker=swift, noise=clean"))
    assert row.split()[2:7] == ["toy.error", "8", "0.57", "0.705", "+0.135"]
    assert row.rstrip().endswith("worse")
    assert "2 of 4 metrics of cells are identical, bit by bit" in out


def test_exit_codes_follow_conditions(cli: Cli) -> None:
    assert cli(*COMPARE, "a", "b", "--within", "toy.error<=.2")[0] == 0
    code, out, _ = cli(*COMPARE, "a", "b", "--within", "toy.error<=.01", "--within", "identical")
    assert code == 9
    assert "OUTSIDE     toy.error<=.01   tracker=swift, noise=clean: 0.135" in out
    code, out, _ = cli(*COMPARE, "a", "b", "--within", "cost.p99_ms<=1")
    assert code == 3
    assert "unjudged    cost.p99_ms<=1   no cell of both runs has values of it" in out
    code, out, _ = cli(*COMPARE, "a", "a", "--within", "identical")
    assert code == 0
    assert "identical, bit by bit: 32 values in 4 cells, and all plans" in out


def test_json_is_the_report(cli: Cli) -> None:
    code, out, _ = cli(*COMPARE, "a", "b", "--json")
    report = RunDifferenceReport.model_validate_json(out)
    assert code == 0
    assert len(report.values) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("a", "nowhere"), 3, "nowhere is not the folder of a run, and there is none in results"),
        (
            ("a", "good.yaml"),
            3,
            "good.yaml is not the folder of a run, and there is none in results",
        ),
        (("a", "b", "--within", "toy.eror<=1"), 2, "fix: --within 'toy.error<=1'"),
        (("a",), 2, "Missing argument 'B'. Example: voicegraph experiment compare a results/after"),
    ],
)
def test_wrong_arguments_are_told(
    cli: Cli, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = cli(*COMPARE, *arguments)
    assert found == code
    assert said in err


def test_export_writes_beside_the_tables(cli: Cli, place: Path) -> None:
    code, out, _ = cli(*EXPORT, "a", "--to", "csv")
    assert (code, out) == (0, f"wrote 5 tables to {Path('a/csv')}\n")
    code, out, err = cli(*EXPORT, "a", "--to", "csv")
    assert code == 4
    assert "exists" in err
    assert cli(*EXPORT, "a", "--to", "csv", "--force")[0] == 0
    code, out, _ = cli(*EXPORT, "a", "--to", "mlflow", "--out", "elsewhere", "--json")
    report = ExportReport.model_validate_json(out)
    assert len(report.written) == 5
    assert "mlflow migrate-filestore --source elsewhere --target sqlite:" in report.next
    assert json.loads(out)["to"] == "mlflow"


def test_sounds_that_are_gone_are_told(cli: Cli, place: Path) -> None:
    manifest = place / "a" / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    store = json.loads(text)["store"]
    manifest.write_text(text.replace(store, str(place / "gone")), encoding="utf-8")
    code, _, err = cli(*EXPORT, "a", "--to", "scp")
    assert code == 3
    assert "sounds of a are no longer in the store" in err
    assert "fix: run the experiment again" in err


def test_unknown_form_is_told(cli: Cli) -> None:
    code, _, err = cli(*EXPORT, "a", "--to", "wandb")
    assert code == 2
    assert "'mlflow', 'csv', 'scp'" in err
