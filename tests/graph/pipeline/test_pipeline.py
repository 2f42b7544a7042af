"""Pipelines in Python, equal to those in YAML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import voicegraph
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.node import Node
from voicegraph.graph.pipeline import Pipeline, node

YAML = """\
block: 10ms
input: {rate: 1200}
nodes:
  late: {use: test.shift, in: input, params: {by: 3}}
  both: {use: test.sum, in: {one: input, other: late}}
output: both
"""


def test_python_and_yaml_give_one_plan(tmp_path: Path) -> None:
    path = tmp_path / "echo.yaml"
    path.write_text(YAML, encoding="utf-8")
    nodes = {
        "late": node("test.shift", "input", by=3),
        "both": node("test.sum", {"one": "input", "other": "late"}),
    }
    pipeline = Pipeline(name="echo", block="10ms", input={"rate": 1200}, nodes=nodes, output="both")
    assert Pipeline.load(path).name == pipeline.name == "echo"
    assert Pipeline.load(path).compile().hash == pipeline.compile().hash


def test_the_readme_way_to_a_session() -> None:
    pipeline = voicegraph.Pipeline(
        block="10ms", nodes={"quiet": voicegraph.node("dsp.gain", "input", db=-20)}, output="quiet"
    )
    with pipeline.session(warm_up=False) as session:
        assert session.process(np.ones(480, np.float32))[-1] == pytest.approx(0.1)


def test_a_class_may_stand_for_its_name() -> None:
    delay = voicegraph.graph.registry.find("dsp.delay")
    assert node(delay, "input", time="5ms") == {
        "use": "dsp.delay", "in": "input", "params": {"time": "5ms"},
    }  # fmt: skip
    assert "in" not in node("io.noise")


def test_class_without_name_suggests_register() -> None:
    class Mine(Node):
        pass

    with pytest.raises(PipelineError) as caught:
        node(Mine)
    assert str(caught.value) == 'Mine has no name yet\n  fix: @register("my.mine")'


def test_overrides_reach_every_part(tmp_path: Path) -> None:
    path = tmp_path / "echo.yaml"
    path.write_text(YAML, encoding="utf-8")
    plan = Pipeline.load(path, {"nodes.late.params.by": 5}, set_args=["block=20ms"]).compile()
    assert plan.samples_in == 24
    assert plan.find("late").given["audio"].interval.end * 1200 == -5


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"nothing\.yaml"):
        Pipeline.load(tmp_path / "nothing.yaml")
