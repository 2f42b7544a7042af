"""Plans that take more memory than the limit are refused, with a value that fits."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph import memory_budget
from voicegraph.graph.compiler._memory import check_memory
from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.graph.memory_budget import SETTING, memory_limit, plan_memory
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.schemas.quantities import format_duration


def compiled(**keys: Any):
    keys.setdefault("nodes", {"quiet": node("dsp.gain", "input")})
    keys.setdefault("output", list(keys["nodes"])[-1])
    return Pipeline(**{"block": "10ms", **keys}).compile()


def refused(**keys: Any) -> Problem:
    with pytest.raises(PipelineError) as caught:
        compiled(**keys)
    (problem,) = caught.value.problems
    assert problem.code == "too-much-memory"
    return problem


@pytest.fixture(autouse=True)
def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "1GB")


def test_ports_histories_and_files_are_counted(tmp_path: Path) -> None:
    plan = compiled(nodes={"late": node("dsp.delay", "input", time="1s")})
    # Input and output of 480 samples, and two buffers that reach back for a second and a block.
    assert plan_memory(plan) == {"late": 4 * (480 + 480 + 2 * (48000 + 480))}
    assert plan_memory(plan, 3)["late"] == 3 * plan_memory(plan)["late"]


@pytest.mark.parametrize(
    ("keys", "named", "fix"),
    [
        ({"block": "86400s"}, "quiet", "block: 1s"),
        ({"input": {"rate": 10_000_000, "channels": 64}, "block": "1s"}, "quiet",
         "input.rate: 48000"),
        ({"nodes": {"f0": node("f0.dio", "input", context="100000000s")},
          "input": {"rate": 16000}}, "f0", "nodes.f0.params.context: 300ms"),
        ({"nodes": {"up": node("dsp.resample", "input", rate=10_000_000),
                    "wide": node("dsp.to_stereo", "up", channels=64)}, "block": "500ms"},
         "wide", "nodes.wide.params.channels: 2"),
    ],
)  # fmt: skip
def test_the_node_that_takes_most_is_named_with_a_fix(
    keys: dict[str, Any], named: str, fix: str
) -> None:
    problem = refused(**keys)
    assert f"{named} takes" in problem.message
    assert problem.fix == fix


def test_fix_is_where_the_value_was_given() -> None:
    text = {"block": "10ms", "vars": {"c": "100000000s"}, "input": {"rate": 16000},
            "nodes": {"f0": {"use": "f0.dio", "in": "input", "params": {"context": "$c"}}},
            "output": "f0"}  # fmt: skip
    with pytest.raises(PipelineError) as caught:
        Pipeline(**text).compile()  # pyright: ignore[reportArgumentType]
    assert caught.value.problems[0].fix == "vars.c: 300ms"


def test_setting_is_offered_where_no_value_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "1KB")
    assert refused().fix == f"{SETTING}=1GB"
    monkeypatch.setenv(SETTING, "1GB")
    compiled()


def test_streams_of_a_session_count() -> None:
    plan = compiled(block="1s")
    with pytest.raises(PipelineError, match="needs at least"):
        plan.session(streams=100_000, warm_up=False)


def test_nothing_is_computed_for_plans_that_fit() -> None:
    plan = compiled()
    check_memory(plan.origin.loaded, plan, lambda loaded: pytest.fail("compiled again"))  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("said", "limit"),
    [("8GB", 8_000_000_000), ("512 mib", 2**29), ("25%", 1000), ("off", None), ("", 2000)],
)
def test_limit_is_a_setting(
    said: str, limit: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory_budget, "memory_bytes", lambda: 4000)
    monkeypatch.setattr(memory_budget, "_CGROUP", tmp_path / "none")
    monkeypatch.setenv(SETTING, said)
    assert memory_limit() == limit


def test_container_has_less_memory_than_the_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "max").write_text("1000\n")
    monkeypatch.setattr(memory_budget, "memory_bytes", lambda: 4000)
    monkeypatch.setattr(memory_budget, "_CGROUP", tmp_path / "max")
    monkeypatch.delenv(SETTING)
    assert memory_limit() == 500
    (tmp_path / "max").write_text("max\n")
    assert memory_limit() == 2000


def test_wrong_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "much")
    with pytest.raises(PipelineError, match="expected a size"):
        compiled()


def test_estimate_is_below_what_is_allocated() -> None:
    """A plan that fits must not be refused: only values that exist for certain are counted."""
    plan = compiled(block=format_duration(Fraction(1)), nodes={"a": node("dsp.delay", "input")})
    session = plan.session(warm_up=False)
    held = sum(x.numel() for e in session.engine.histories.values() for x in e.buffers)
    assert sum(plan_memory(plan).values()) <= 4 * (held + 2 * plan.samples_in)
