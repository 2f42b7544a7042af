"""``voicegraph bench``: what a pipeline costs. No time is asserted here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from voicegraph.app.cli.app import main
from voicegraph.schemas.bench_report import BenchReport

PIPELINE = """\
block: 10ms
nodes:
  gain: {use: dsp.gain, in: input, params: {db: -6}}
  sixteen: {use: dsp.resample, in: gain, params: {rate: 16000}}
output: sixteen
profiles:
  slow: {block: 20ms}
"""
Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Bench:
    """``bench(*arguments)`` beside a pipeline ``p.yaml``: exit code, output, standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(PIPELINE, encoding="utf-8")

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["bench", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


def test_summary_names_machine_nodes_and_times(bench: Bench) -> None:
    code, out, err = bench("p.yaml", "--blocks", "30")
    assert (code, err) == (0, "")
    for words in (
        "p: 30 blocks of 10 ms of speech, 1 stream",
        "dsp.resample",
        "(engine)",
        "whole block",
        "median",
        "p99",
        "max",
        "real-time factor",
        "undisturbed, a block takes",
        "MB resident",
        "PyTorch",
        "core",
        "thread",
    ):
        assert words in out


def test_json_is_a_bench_report(bench: Bench) -> None:
    code, out, _ = bench(
        "p.yaml", "--blocks", "25", "--streams", "3", "--profile", "slow", "--json"
    )
    report = BenchReport.model_validate_json(out)
    assert code == 0
    assert (report.blocks, report.streams, report.block_ms) == (25, 3, 20.0)
    assert [node.name for node in report.nodes] == ["gain", "sixteen"]


def test_threads_are_set_for_the_run(bench: Bench) -> None:
    before = torch.get_num_threads()
    try:
        _, out, _ = bench("p.yaml", "--blocks", "5", "--threads", "1", "--json")
        assert BenchReport.model_validate_json(out).threads == 1
    finally:
        torch.set_num_threads(before)


def test_engine_pipeline_is_measured(bench: Bench) -> None:
    code, out, _ = bench("--engine", "--blocks", "40")
    assert code == 0
    assert out.count("bench.pass") == 10
    assert "engine: 40 blocks of 10 ms" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a pipeline, or give --engine"),
        (["p.yaml", "--engine"], "name a pipeline, or give --engine"),
        (["--engine", "--set", "block=5ms"], "has no settings"),
        (["p.yaml", "--blocks", "0"], "--blocks"),
        (["p.yaml", "--set", "nodes.gain.params.db=999"], "expected at most 60"),
        (["nobody"], "no shipped pipeline is called 'nobody'"),
    ],
)
def test_contradictory_arguments_are_refused(
    bench: Bench, arguments: list[str], words: str
) -> None:
    code, out, err = bench(*arguments)
    assert (code, out) == (2, "")
    assert words in err


def test_table_shows_lane_and_precision_of_each_node(bench: Bench) -> None:
    code, out, _ = bench("p.yaml", "--blocks", "5", "--threads", "1")
    assert code == 0
    assert "threads   all in a row with 1 thread\n" in out
    (row,) = [line for line in out.splitlines() if line.startswith("gain")]
    assert row.split()[1:4] == ["dsp.gain", "main", "float32"]
