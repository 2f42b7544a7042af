"""Pipelines in Python, equal to those in YAML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import voicegraph
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.loading.sources import shipped_folder
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


# ---- file names in overrides, and profiles ------------------------------------------------------


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a pipeline that names a voice, beside the working directory."""
    (tmp_path / "there" / "voices").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    text = (
        "extends: default-live\n"
        "vars: {level: 0}\n"
        "profiles: {other: {vars.voice: voices/mine.safetensors}}\n"
    )
    (tmp_path / "there" / "p.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def _voice(pipeline: Pipeline) -> Path:
    loaded = pipeline.loaded
    return loaded.source_map.resolve(("vars", "voice"), loaded.document.data["vars"]["voice"])  # pyright: ignore[reportOptionalMemberAccess]


def test_overrides_find_files_here_then_beside_the_pipeline_then_shipped_ones(
    folders: Path,
) -> None:
    base = Pipeline.load("../there/p.yaml")
    named = {"vars.voice": "voices/michael.safetensors"}
    ways = [
        lambda: base.changed(named),
        lambda: Pipeline.load("../there/p.yaml", named),
        lambda: Pipeline.load(
            "../there/p.yaml", set_args=["vars.voice=voices/michael.safetensors"]
        ),
    ]
    for change in ways:
        assert _voice(change()) == shipped_folder() / "voices" / "michael.safetensors"
    for folder in ("there", "here"):
        file = folders / folder / "voices" / "michael.safetensors"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"voice")
        assert [_voice(change()) for change in ways] == [file] * 3


def test_profiles_resolve_where_they_are_written(folders: Path) -> None:
    (folders / "there" / "voices" / "mine.safetensors").write_bytes(b"voice")
    pipeline = Pipeline.load("../there/p.yaml").with_profiles("other")
    assert _voice(pipeline) == folders / "there" / "voices" / "mine.safetensors"


def test_other_profiles_replace_those_in_force_and_keep_other_overrides() -> None:
    gains = {"gain": node("dsp.gain", "input", db=-1.0), "end": node("dsp.gain", "gain")}
    profiles = {"a": {"nodes.gain.params.db": -6.0}, "b": {"nodes.end.params.db": -9.0}}
    base = Pipeline(block="10ms", nodes=gains, output="end", profiles=profiles)

    def levels(pipeline: Pipeline) -> list[float]:
        return [pipeline.compile().find(name).params.db for name in gains]  # pyright: ignore[reportAttributeAccessIssue]

    first = base.with_profiles("a").changed({"nodes.end.params.db": -2.0})
    assert (base.profiles, first.active_profiles) == (("a", "b"), ("a",))
    assert levels(first) == [-6.0, -2.0]
    assert levels(first.with_profiles("b")) == [-1.0, -9.0]
    assert levels(first.with_profiles()) == [-1.0, -2.0]
    assert levels(first.with_profiles("a", "b")) == [-6.0, -9.0]
    with pytest.raises(PipelineError, match="has no profile c; it has: a, b"):
        first.with_profiles("c")
