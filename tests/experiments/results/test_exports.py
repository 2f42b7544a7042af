"""Runs for other programs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from voicegraph.experiments.results.export_csv import export_csv
from voicegraph.experiments.results.export_mlflow import export_mlflow
from voicegraph.experiments.results.export_scp import export_scp
from voicegraph.experiments.results.run import Run
from voicegraph.graph.errors import OutputError

CELL = "tracker=swift, noise=pink"


def test_csv_has_means_and_tables(run: Run, tmp_path: Path) -> None:
    written = export_csv(run, tmp_path)
    assert {path.name for path in written} == {
        *("cells.csv", "values.csv", "costs.csv", "tests.csv", "means.csv"),
    }
    with (tmp_path / "means.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["cell"] == CELL]
    assert rows[0]["metric"] == "toy.error"
    assert float(rows[0]["mean"]) == pytest.approx(0.635)
    assert float(rows[0]["low"]) < 0.635 < float(rows[0]["high"])
    with pytest.raises(OutputError, match="exists"):
        export_csv(run, tmp_path)
    export_csv(run, tmp_path, force=True)


def test_scp_lists_sounds_that_can_be_read(run: Run, tmp_path: Path) -> None:
    written = export_scp(run, tmp_path)
    assert len(written) == 8
    place = next(path.parent for path in written if "swift_noise=pink" in str(path))
    for name, what in (("pred.scp", "made"), ("gt.scp", "source")):
        lines = (place / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) == 8
        utterance, path = lines[2].split(" ", 1)
        assert utterance == "s02-0"
        audio, rate = soundfile.read(path, dtype="float32")
        expected, expected_rate = run.audio(
            tracker="swift",
            noise="pink",
            clip=utterance,
            what=what,  # pyright: ignore[reportArgumentType]
        )
        assert rate == expected_rate
        assert np.array_equal(audio, expected)


def test_mlflow_finds_runs_params_and_metrics(run: Run, tmp_path: Path) -> None:
    folders = export_mlflow(run, tmp_path)
    assert len(folders) == 5
    meta = [yaml.safe_load((path / "meta.yaml").read_text(encoding="utf-8")) for path in folders]
    assert meta[0]["name"].startswith("toys-")
    at = next(path for path, one in zip(folders, meta, strict=True) if one.get("run_name") == CELL)
    assert (at / "params" / "tracker").read_text() == "swift"
    time, value, step = (at / "metrics" / "toy.error").read_text().split()
    assert float(value) == pytest.approx(0.635)
    assert (int(time) > 1e12, step) == (True, "0")
    assert float((at / "metrics" / "cost.cpu_ms").read_text().split()[1]) == 7.0
    assert (at / "artifacts" / "summary.md").is_file()


def test_mlflow_itself_reads_the_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is no dependency")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    export_mlflow(run, tmp_path / "mlruns")
    client = mlflow.tracking.MlflowClient((tmp_path / "mlruns").as_uri())
    (experiment,) = client.search_experiments()
    runs = client.search_runs([experiment.experiment_id])
    assert {one.data.params["tracker"] for one in runs} == {"dio", "swift"}
