"""What of the code counts in keys, and what does not."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from voicegraph.experiments.work import code_identity
from voicegraph.experiments.work.code_identity import (
    ENGINE,
    NOT_OF_THE_ENGINE,
    code_of,
    engine_code,
    uses_seed,
)
from voicegraph.experiments.work.files import package_folder
from voicegraph.graph import registry
from voicegraph.graph.node import Node

NODE = """
from voicegraph.graph import Audio, In, Node, Out, register


@register("test.own")
class Own(Node):
    audio = In(Audio)
    out = Out(Audio, like="audio")

    def process(self, inputs, params, state):
        return {{"out": inputs["audio"] * {factor}}}
"""


def own_node(folder: Path, text: str) -> type[Node]:
    path = folder / "own.py"
    path.write_text(text)
    with registry.isolated():
        registry.load_file(path)
        return registry.find("test.own")


def test_comments_and_docstrings_do_not_count(tmp_path: Path) -> None:
    plain = code_of([own_node(tmp_path, NODE.format(factor=2))])
    text = NODE.format(factor=2).replace("class Own(Node):", 'class Own(Node):\n    """Twice."""')
    assert code_of([own_node(tmp_path, f"# a comment\n{text}")]) == plain


def test_changed_code_counts(tmp_path: Path) -> None:
    before = code_of([own_node(tmp_path, NODE.format(factor=2))])
    assert code_of([own_node(tmp_path, NODE.format(factor=20))]) != before


def test_version_of_a_node_counts_instead_of_its_file(tmp_path: Path) -> None:
    text = NODE.replace("    audio = In", "    version = 3\n    audio = In")
    first = code_of([own_node(tmp_path, text.format(factor=2))])
    assert code_of([own_node(tmp_path, text.format(factor=20))]) == first
    newer = text.replace("version = 3", "version = 4")
    assert code_of([own_node(tmp_path, newer.format(factor=2))]) != first


def test_module_beside_a_nodes_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "beside_own.py").write_text("FACTOR = 2\n")
    text = "from beside_own import FACTOR\n" + NODE.format(factor="FACTOR")
    before = code_of([own_node(tmp_path, text)])
    sys.modules.pop("beside_own")
    (tmp_path / "beside_own.py").write_text("FACTOR = 2.5\n")
    assert code_of([own_node(tmp_path, text)]) != before
    sys.modules.pop("beside_own")


def test_base_classes_and_imports_count_and_other_families_do_not() -> None:
    found = code_of([registry.find("f0.dio")])
    assert {
        "voicegraph.nodes.f0.dio",
        "voicegraph.nodes.f0.estimator",
        "voicegraph.nodes.pitch.window_frames",
        "voicegraph.nodes.world.world_library",
    } <= found.keys()
    assert not any(name.startswith("voicegraph.nodes.content") for name in found)
    assert not any(name.startswith("voicegraph.nodes.f0.harvest") for name in found)


def test_another_version_of_a_package_counts_where_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uses, uses_not = [registry.find("f0.dio")], [registry.find("dsp.gain")]
    before = code_of(uses), code_of(uses_not)
    real = importlib.metadata.version

    def newer(name: str) -> str:
        return "99" if "pyworld" in name else real(name)

    monkeypatch.setattr(importlib.metadata, "version", newer)
    assert code_of(uses) != before[0]
    assert code_of(uses_not) == before[1]


def test_node_that_is_named_by_text_counts() -> None:
    found = code_of((), ["voicegraph.graph.metrics.f0_contour"])
    assert "voicegraph.nodes.f0.dio" in found
    assert "voicegraph.graph.runtime.engine" in found


def test_every_module_of_the_runtime_is_classified() -> None:
    prefix = "voicegraph.graph.runtime."
    engine = {name.removeprefix(prefix) for name in ENGINE if name.startswith(prefix)}
    there = {path.stem for path in (package_folder() / "graph" / "runtime").glob("[!_]*.py")}
    there |= {path.stem for path in (package_folder() / "graph" / "runtime").glob("_[!_]*.py")}
    assert engine | NOT_OF_THE_ENGINE == there
    assert not engine & NOT_OF_THE_ENGINE


def test_every_module_of_the_engine_exists() -> None:
    assert set(ENGINE) <= engine_code().keys()
    assert "voicegraph.nodes.dsp.resample" in engine_code()


def test_nodes_that_draw_random_numbers_use_the_seed() -> None:
    assert uses_seed([registry.find("io.noise")])
    assert not uses_seed([registry.find("dsp.gain")])
    assert code_identity.digest(("a", 1)) != code_identity.digest(("a", 2))
