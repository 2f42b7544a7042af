"""``tools/gpu.py``: its sections with the CPU in place of a GPU, and what is said without one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

TOOLS = Path(__file__).resolve().parents[2] / "tools"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The script as a module, on the CPU."""
    monkeypatch.syspath_prepend(str(TOOLS))
    import gpu as found  # pyright: ignore[reportMissingImports]

    monkeypatch.setattr(found, "DEVICE", "cpu")
    monkeypatch.setattr(found, "_SECONDS", 0.5)
    yield found
    sys.modules.pop("gpu")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small models."""
    folder = tmp_path_factory.mktemp("models")
    command = [sys.executable, str(TOOLS / "models.py"), str(folder), "--small"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def test_the_chain_agrees_with_itself(
    gpu: ModuleType, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "LEAST_SNR_DB", {"float32": 60.0})  # float16 is slow on a CPU
    found = gpu.parity(models)
    row = {"snr_db": None, "least_db": 60.0, "passed": True}
    assert found == {"passed": True, "against_cpu": {"float32": row}}


def test_snr_is_signal_against_difference(gpu: ModuleType) -> None:
    expected = np.ones(100)
    assert gpu.snr_db(expected * 1.1, expected) == pytest.approx(20)


def test_mixed_placement_on_one_device_fails(gpu: ModuleType, models: Path) -> None:
    found = gpu.mixed(models)
    assert not found["passed"]
    assert found["devices"]["f0"] == "cpu"
    assert found["copies"] == 0


def test_bench_has_both_precisions_and_stream_counts(
    gpu: ModuleType, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Measured:
        """Stands in for a report: 8 streams on a CPU take a minute."""

        def __init__(self, streams: int) -> None:
            self.streams = streams

        def model_dump(self, **_: object) -> dict[str, int]:
            return {"streams": self.streams}

    def measure(plan: object, blocks: int, streams: int) -> Measured:
        return Measured(streams)

    monkeypatch.setattr("voicegraph.graph.metrics.benchmark.measure", measure)
    runs = gpu.bench("rvc")(models)["runs"]
    assert [(run["dtype"], run["streams"]) for run in runs] == [
        *(("float32", 1), ("float32", 8)),
        *(("float16", 1), ("float16", 8)),
    ]
    assert "skipped" in gpu.bench("no-such-pipeline")(models)


def test_a_section_that_fails_or_hangs_is_reported_alone(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = gpu.section("parity", tmp_path)  # no models there
    assert not found["passed"]
    assert "exit code" in found["error"]
    monkeypatch.setitem(gpu.LIMITS_S, "parity", 0.01)
    assert gpu.section("parity", tmp_path) == {"passed": False, "error": "not done after 0.01 s"}


def test_the_report_is_one_json(
    gpu: ModuleType, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "machine", lambda: {"name": "a card"})
    monkeypatch.setattr(gpu, "section", lambda name, folder: {"passed": name != "mixed"})
    assert gpu.gpu(models, tmp_path / "out.json") == 1
    report = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert list(report["sections"]) == list(gpu.LIMITS_S)
    assert gpu.gpu(models, tmp_path / "out.json", only="parity") == 0


def test_limits_leave_under_eight_minutes(gpu: ModuleType) -> None:
    assert sum(gpu.LIMITS_S.values()) + 40 <= 480


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_without_a_gpu_it_says_so() -> None:
    command = [sys.executable, str(TOOLS / "check.py"), "gpu"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "no GPU that PyTorch can use" in done.stderr
    assert "gpu: not run" in done.stdout
