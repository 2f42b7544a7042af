"""Node names to classes, params to models, and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.graph.node import FilePath, Node, NodeParams
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.ports import In, Out, Ports
from voicegraph.graph.signals import Audio, Pitch

HEAD = "block: 10ms\nnodes:\n"


@pytest.fixture
def voice() -> Iterator[None]:
    """Registers ``test.voice`` for one test."""
    with registry.isolated({"test.voice": Voice}):
        yield


def test_an_unknown_node_with_a_near_name(refused: Any) -> None:
    (problem,) = refused(HEAD + "  a: {use: dsp.gian, in: input}\noutput: a\n").problems
    assert problem.code == "unknown-node"
    assert problem.message == "a uses dsp.gian, but no node has that name"
    assert (problem.mark.line, problem.mark.column) == (3, 12)
    assert problem.fix == "nodes.a.use: dsp.gain"


def test_an_unknown_node_like_none(refused: Any) -> None:
    (problem,) = refused(HEAD + "  a: {use: zzz.qqq, in: input}\noutput: a\n").problems
    assert problem.fix == "voicegraph nodes"


@pytest.mark.parametrize(
    ("params", "code", "message", "column", "fix"),
    [
        ("{db: 99}", "out-of-range", "a (dsp.gain): db is 99, expected at most 60", 46,
         "nodes.a.params.db: 60"),
        ("{db: loud}", "wrong-type", "a (dsp.gain): db is 'loud', expected a number", 46,
         "nodes.a.params.db: 0.0"),
        ("{dB: 3}", "unknown-key", "a (dsp.gain) has no key `dB`; it has: db", 42,
         "nodes.a.params.db: 3"),
    ],
)  # fmt: skip
def test_wrong_params(
    refused: Any, params: str, code: str, message: str, column: int, fix: str
) -> None:
    text = HEAD + f"  a: {{use: dsp.gain, in: input, params: {params}}}\noutput: a\n"
    (problem,) = refused(text).problems
    assert (problem.code, problem.message) == (code, message)
    assert (problem.mark.line, problem.mark.column) == (3, column)
    assert problem.fix == fix


def test_params_that_must_be_given(refused: Any) -> None:
    (problem,) = refused(HEAD + "  a: {use: dsp.resample, in: input}\noutput: a\n").problems
    assert problem.code == "missing-key"
    assert problem.fix == "nodes.a.params.rate: 16000"


class Voice(Node):
    """Its ports depend on a file."""

    class Params(NodeParams):
        weights: FilePath | None = None

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def ports(self, params: Params) -> Ports:
        if params.weights is not None and not params.weights.is_file():
            text = f"{params.weights.name} is no voice"
            raise PipelineError(Problem("no-voice", text, fix="voicegraph voices"))
        return self.declared


@pytest.mark.usefixtures("voice")
def test_a_file_that_decides_the_ports_and_is_wrong(refused: Any) -> None:
    (problem,) = refused(
        HEAD + "  a: {use: test.voice, in: input, params: {weights: x.pth}}\noutput: a\n"
    ).problems
    assert (problem.code, problem.message) == ("no-voice", "a: x.pth is no voice")
    assert problem.mark.line == 3
    assert problem.fix == "voicegraph voices"


@pytest.mark.usefixtures("voice")
def test_file_params_resolve_and_weights_use_assets(
    tmp_path: Path,
) -> None:
    (tmp_path / "x.pth").touch()
    (tmp_path / "y.pth").touch()
    path = tmp_path / "p.yaml"
    path.write_text(
        "block: 10ms\nassets: {voice: y.pth}\nnodes:\n"
        "  a: {use: test.voice, in: input, params: {weights: x.pth}}\n"
        "  b: {use: test.voice, in: a}\noutput: b\n",
        encoding="utf-8",
    )
    plan = Pipeline.load(path).compile()
    assert [n.params.weights.name for n in plan.nodes] == ["x.pth", "y.pth"]  # pyright: ignore[reportAttributeAccessIssue]
    assert all(n.params.weights.is_absolute() for n in plan.nodes)  # pyright: ignore[reportAttributeAccessIssue]


def test_swapping_a_node_keeps_only_what_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        HEAD + "  a: {use: dsp.gain, in: input, params: {db: -6}}\noutput: a\n", encoding="utf-8"
    )
    plan = Pipeline.load(path, {"nodes.a.use": "dsp.to_mono"}).compile()
    assert plan.find("a").use == "dsp.to_mono"
    assert plan.find("a").dropped == ("db",)
    given = {"nodes.a.use": "dsp.to_mono", "nodes.a.params.db": 3}
    with pytest.raises(PipelineError, match="has no key `db`"):
        Pipeline.load(path, given).compile()


def test_failing_third_party_module_is_named(refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> type[Node]:
        raise ImportError("no module named tensorfish")

    monkeypatch.setattr(registry, "find", find)
    (problem,) = refused(HEAD + "  a: {use: x.y, in: input}\noutput: a\n").problems
    assert problem.code == "node-fails"
    assert problem.message == "x.y cannot be loaded: ImportError: no module named tensorfish"
    assert (problem.mark.line, problem.mark.column) == (3, 12)


class Choosy(Node):
    """Has an input `pitch` only if `sings`."""

    class Params(NodeParams):
        sings: bool = False

    audio = In(Audio)
    pitch = In(Pitch, window=True)
    out = Out(Audio, like="audio")

    def ports(self, params: Params) -> Ports:
        inputs = dict(type(self).declared.inputs)
        if not params.sings:
            del inputs["pitch"]
        return Ports(inputs, self.declared.outputs)


@pytest.fixture
def choosy() -> Iterator[None]:
    """Registers ``test.choosy`` for one test."""
    with registry.isolated({"test.choosy": Choosy}):
        yield


CHOOSY = (
    "block: 10ms\ninput: {rate: 16000}\nnodes:\n  f0: {use: f0.dio, in: input}\n"
    "  a: {use: test.choosy, in: {audio: input, pitch: %s}}\noutput: a\n"
)


@pytest.mark.usefixtures("choosy")
def test_unused_input_is_left_out_visibly(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(CHOOSY % "f0", encoding="utf-8")
    plan = Pipeline.load(path).compile()
    assert plan.find("a").unused == ("pitch",)
    assert plan.pruned == ("f0",)
    page = str(plan.explain())
    assert "a   does not use its input pitch" in page
    assert "f0  pruned: nothing that reaches the output uses it" in page
    sings = Pipeline.load(path, {"nodes.a.params.sings": True}).compile()
    assert sings.find("a").unused == ()
    assert sings.pruned == ()


@pytest.mark.usefixtures("choosy")
def test_source_of_unused_input_must_exist(refused: Any) -> None:
    (problem,) = refused(CHOOSY % "f1").problems
    assert (problem.code, problem.fix) == ("no-such-node", "nodes.a.in.pitch: f0")
