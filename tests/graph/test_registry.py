"""Registered nodes: built in, from a file, from an installed package."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.node import Node
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.nodes import BUILTIN, SYNONYMS

FILE = """
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from voicegraph import Audio, Decibels, In, Live, Node, NodeParams, Out, State, register


@dataclass
class Memory(State):
    last: Tensor


@register("mine.loud")
class Loud(Node):
    class Params(NodeParams):
        db: Live[Decibels] = VALUE

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def state(self, params: Params, streams: int) -> Memory:
        return Memory(torch.zeros(streams))
"""


@pytest.fixture(autouse=True)
def _own() -> Iterator[None]:
    with registry.isolated():
        yield


def test_isolated_undoes_registrations_but_keeps_built_in_nodes() -> None:
    class Mine(Node):
        pass

    with registry.isolated({"mine.first": Mine}):
        registry.register("mine.second")(Mine)
        delay = registry.find("dsp.delay")
        assert {"mine.first", "mine.second"} <= {*registry.names()}
    assert not {"mine.first", "mine.second"} & {*registry.names()}
    assert registry.find("dsp.delay") is delay


def test_isolated_undoes_registrations_after_errors() -> None:
    class Mine(Node):
        pass

    with (
        pytest.raises(ValueError, match="looks like"),
        registry.isolated({"mine.a": Mine, "b": Mine}),
    ):
        pass
    assert "mine.a" not in registry.names()


def test_names_look_like_family_name() -> None:
    for wrong in ("gain", "Dsp.gain", "dsp.", "dsp.gain.x", "dsp-x.gain", ""):
        with pytest.raises(ValueError, match=r"looks like family\.name"):
            registry.register(wrong)


def test_a_name_belongs_to_one_class() -> None:
    class One(Node):
        pass

    class Other(Node):
        pass

    registry.register("mine.one")(One)
    registry.register("mine.one")(One)
    assert registry.find("mine.one") is One
    assert One.use == "mine.one"
    with pytest.raises(ValueError, match=r"mine\.one is already registered by .*One"):
        registry.register("mine.one")(Other)


def test_every_built_in_node_is_found() -> None:
    names = registry.names()
    assert names == sorted(names)
    for name in ("dsp.gain", "dsp.resample", "f0.harvest"):
        assert name in names
        assert registry.find(name).use == name


def test_near_names() -> None:
    assert registry.nearest("dsp.gian")[0] == "dsp.gain"
    assert registry.nearest("f0.gain")[0] == "dsp.gain"  # the same last word
    assert registry.nearest("zzz.qqq") == []


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("pm", "praat"), ("f0.pm", "praat"), ("mangio-crepe", "crepe"), ("crepe-full", "crepe"),
        ("rmvpe_gpu", "rmvpe"), ("rmvpe+", "rmvpe"), ("harvest", "harvest"), ("Dio", "dio"),
        ("fcpe", "fcpe"), ("f0.parselmouth", "praat"),
    ],
)  # fmt: skip
def test_names_of_other_programs(name: str, node: str) -> None:
    assert registry.nearest(name)[0] == f"f0.{node}"


def test_synonyms_are_no_names_of_their_own() -> None:
    assert set(SYNONYMS.values()) <= BUILTIN.keys()
    assert not {node.partition(".")[2] for node in BUILTIN} & SYNONYMS.keys()


def test_unknown_names() -> None:
    with pytest.raises(KeyError):
        registry.find("zzz.qqq")


# ---- a file of one's own ------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FILE.replace("VALUE", "3.0"), encoding="utf-8")
    return path


def test_nodes_file_may_use_any_annotation(file: Path) -> None:
    """Also annotations that dataclasses and pydantic evaluate later."""
    assert registry.load_file(file) == ["mine.loud"]
    cls = registry.find("mine.loud")
    assert cls.Params.live_fields() == {"db"}
    nodes = {"a": node("mine.loud", "input", db=-3)}
    plan = Pipeline(block="10ms", nodes=nodes, output="a").compile()
    assert plan.find("a").params.model_dump() == {"db": -3}


def test_a_file_read_again_replaces_its_nodes(file: Path) -> None:
    registry.load_file(file)
    file.write_text(FILE.replace("VALUE", "5.0  # changed"), encoding="utf-8")
    assert registry.load_file(file) == ["mine.loud"]
    assert registry.find("mine.loud").Params().model_dump() == {"db": 5}


def test_other_file_cannot_replace_a_node(file: Path, tmp_path: Path) -> None:
    registry.load_file(file)
    other = tmp_path / "other" / "mine.py"
    other.parent.mkdir()
    other.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(PipelineError, match=r"mine\.loud is already registered by"):
        registry.load_file(other)


def test_a_file_that_fails_adds_nothing(file: Path) -> None:
    file.write_text(FILE.replace("VALUE", "3.0") + "\nprint(1 / 0)\n", encoding="utf-8")
    with pytest.raises(PipelineError, match="failed while it was read: ZeroDivisionError"):
        registry.load_file(file)
    assert "mine.loud" not in registry.names()


@pytest.mark.parametrize("name", ["nothing.py", "folder", "text.txt"])
def test_nodes_file_must_be_python(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("", encoding="utf-8")
    with pytest.raises(PipelineError, match="is not a Python file"):
        registry.load_file(tmp_path / name)


# ---- installed packages -------------------------------------------------------------------------


class Foreign(Node):
    """A node of another package."""


def installed(monkeypatch: pytest.MonkeyPatch, load: Any) -> None:
    class Point:
        name, value = "their.node", "their.package:Node"

        def load(self) -> Any:
            return load()

    def points(group: str) -> list[Any]:
        return [Point()] if group == "voicegraph.nodes" else []

    monkeypatch.setattr(importlib.metadata, "entry_points", points)


def test_a_package_adds_nodes_by_its_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, lambda: Foreign)
    assert "their.node" in registry.names()
    assert registry.find("their.node") is Foreign
    assert Foreign.use == "their.node"


def test_a_package_that_fails_is_no_unknown_node(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        return {}["setting"]

    installed(monkeypatch, fail)
    with pytest.raises(ImportError, match=r"the module of their\.node failed: KeyError: 'setting'"):
        registry.find("their.node")
    nodes = {"a": node("their.node", "input")}
    with pytest.raises(PipelineError) as caught:
        Pipeline(block="10ms", nodes=nodes, output="a").compile()
    assert [p.code for p in caught.value.problems] == ["node-fails"]


def test_a_package_that_offers_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, lambda: "a string")
    with pytest.raises(ImportError, match=r"their\.package:Node is not a node class"):
        registry.find("their.node")
