"""Benchmark: consistent numbers; the cost of the engine with ``-m benchmark``."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from voicegraph.graph import registry
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics import benchmark
from voicegraph.graph.metrics.benchmark import engine_plan, measure
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.runtime.timing import KEPT


def _plan():
    nodes = {"gain": node("dsp.gain", "input", db=-6.0), "gate": node("dsp.highpass", "gain")}
    return Pipeline(name="two", block="10ms", nodes=nodes, output="gate").compile()


def test_numbers_belong_together() -> None:
    plan = _plan()
    report = measure(plan, blocks=60, streams=2)
    assert (report.pipeline, report.plan) == ("two", plan.hash)
    assert (report.blocks, report.streams, report.block_ms) == (60, 2, 10.0)
    assert [(n.name, n.use) for n in report.nodes] == [
        ("gain", "dsp.gain"),
        ("gate", "dsp.highpass"),
    ]
    for cost in (*report.nodes, report.whole):
        assert 0 < cost.median_ms <= cost.p99_ms <= cost.max_ms
    assert report.engine is not None
    assert 0 < sum(n.share for n in report.nodes) < 1
    assert report.undisturbed_ms <= report.whole.median_ms
    assert report.setup_s > 0
    assert report.memory.resident_bytes is None or report.memory.resident_bytes > 1e6


def test_more_blocks_than_a_session_keeps_are_all_counted() -> None:
    assert measure(engine_plan(), blocks=KEPT + 7).blocks == KEPT + 7


def test_one_core_is_measured_without_workers(monkeypatch) -> None:
    plan, asked, session = _plan(), [], Plan.session
    monkeypatch.setattr(
        Plan,
        "session",
        lambda *given, **options: asked.append(options) or session(*given, **options),
    )
    measure(plan, blocks=1, workers=False)
    measure(plan, blocks=1)
    assert [options["workers"] for options in asked] == [False, True]
    assert not any(options["write_files"] for options in asked)


def test_number_of_blocks_is_chosen_by_what_a_block_takes(monkeypatch) -> None:
    monkeypatch.setattr(benchmark, "_AIM_S", 1e-9)
    assert measure(_plan()).blocks == benchmark._FEWEST


def test_speech_is_looped_without_a_gap() -> None:
    plan = _plan()
    recording = bundled_recording.speech(plan.source)[0]
    blocks = list(islice(benchmark.speech_blocks(plan, 1), len(recording) // 480 + 3))
    joined = np.concatenate(blocks)
    assert blocks[0].shape == (480,)
    np.testing.assert_array_equal(joined[: len(recording)], recording)
    np.testing.assert_array_equal(joined[len(recording) :][:480], recording[:480])


def test_streams_start_at_different_positions() -> None:
    block = next(benchmark.speech_blocks(_plan(), 3))
    assert block.shape == (3, 1, 480)
    recording = bundled_recording.speech(_plan().source)[0]
    third = len(recording) // 3
    np.testing.assert_array_equal(block[1, 0], recording[third : third + 480])


def test_benchmark_nodes_are_not_registered() -> None:
    before = registry.names()
    plan = engine_plan()
    assert [planned.use for planned in plan.nodes] == ["bench.pass"] * 10
    assert registry.names() == before


def test_machine_is_described() -> None:
    found = benchmark.describe_machine()
    assert found.cpu
    assert found.cores >= 1
    assert found.torch == torch.__version__


@pytest.mark.benchmark
def test_ten_nodes_cost_20_us_a_block_and_no_memory() -> None:
    """Takes the fastest twentieth of 100,000 blocks, to exclude the load of other programs."""
    report = measure(engine_plan(), blocks=100_000)
    assert report.undisturbed_ms <= 0.020
    assert report.memory.growth_bytes is None or report.memory.growth_bytes < 1_000_000
