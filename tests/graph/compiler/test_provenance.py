"""Provenance: which model made a signal, passed on with its type and checked at its consumer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from voicegraph.app.reports.plan_report import report_plan
from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.node import FilePath, Node, NodeParams
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out, Ports, Wanted
from voicegraph.graph.signals import Audio, Features, Mask, Origin, SignalType

from ...conftest import Register

Facts = dict[str, str | int | bool]
RATE, DIM = 1200, 4


class Maker(Node):
    """Feature vectors of a model whose facts are params."""

    class Params(NodeParams):
        weights: FilePath | None = None
        print: str | None = "aaaa"
        layer: int = 3
        dim: int = DIM

    audio = In(Audio)
    out = Out(Features, rate=RATE, dim=DIM)

    def ports(self, params: Params) -> Ports:
        facts: Facts = {"layer": params.layer}
        if params.print is not None:
            facts["print"] = params.print
        given_by = {"print": "weights", "layer": "layer"}
        origin = Origin("reader", str(params.weights), facts, given_by, "Reader")
        out = replace(type(self).out, dim=params.dim, origin=origin)
        return Ports(self.declared.inputs, {"out": out})


class Plain(Node):
    """Feature vectors without an origin."""

    audio = In(Audio)
    out = Out(Features, rate=RATE, dim=DIM)


class Passes(Node):
    """Output like its input, by ``like`` only."""

    content = In(Features)
    out = Out(Features, like="content")


class Retimes(Node):
    """Output like its input at the rate of a mask, by its own ``infer``."""

    content = In(Features)
    original = In(Features, like="content")
    voiced = In(Mask)
    out = Out(Features, like="content")

    def infer(self, params: Any, inputs: Mapping[str, SignalType]) -> dict[str, SignalType]:
        content = inputs["content"]
        assert isinstance(content, Features)
        return {"out": Features(inputs["voiced"].rate, content.dim)}


class Gate(Node):
    """A mask from vectors: another kind, without origin."""

    content = In(Features)
    out = Out(Mask, like="content")


class Adds(Node):
    """The sum of two, for loops."""

    one = In(Features)
    other = In(Features, like="one")
    out = Out(Features, like="one")


class Late(Node):
    """A delay, which can close a loop."""

    content = In(Features)
    out = Out(Features, like="content")

    def needs(self, params: Any, out: Any) -> Any:
        return {"content": out.shift(-Fraction(1, 100))}


class Takes(Node):
    """Needs the model that its params name."""

    class Params(NodeParams):
        file: FilePath | None = None
        print: str | None = None
        layer: int | None = None
        any_reader: bool = False

    content = In(Features, dim=DIM)
    out = Out(Audio, rate=RATE, channels=1)

    def ports(self, params: Params) -> Ports:
        named = {"print": params.print, "layer": params.layer}
        facts: Facts = {k: v for k, v in named.items() if v is not None}
        origin = Origin("reader", str(params.file), facts, dict.fromkeys(facts, "file"), "Wanted")
        wanted = Wanted(origin, "any_reader", params.any_reader)
        content = replace(type(self).content, wanted=wanted)
        return Ports({"content": content}, type(self).declared.outputs)


NODES: dict[str, type[Node]] = {
    f"read.{cls.__name__.lower()}": cls
    for cls in (Maker, Plain, Passes, Retimes, Gate, Adds, Late, Takes)
}


@pytest.fixture(autouse=True, scope="module")
def _nodes() -> Iterator[None]:
    with registry.isolated(NODES):
        yield


Build = Callable[..., Pipeline]


def _chain(build: Build, made: Any = None, **wanted: Any) -> Pipeline:
    nodes = {
        "made": made or node("read.maker", "input"),
        "passed": node("read.passes", "made"),
        "voiced": node("read.gate", "made"),
        "again": node(
            "read.retimes", {"content": "passed", "original": "made", "voiced": "voiced"}
        ),
        "voice": node("read.takes", "again", **wanted),
    }
    return build(nodes)


def _problem(pipeline: Pipeline) -> Any:
    with pytest.raises(PipelineError) as caught:
        pipeline.compile()
    (problem,) = caught.value.problems
    return problem


def test_origin_is_passed_on_with_the_type(build: Build) -> None:
    plan = _chain(build).compile()
    origin = plan.find("made").node.output_types["out"].origin
    assert origin is not None
    assert origin.facts == {"layer": 3, "print": "aaaa"}
    for name in ("passed", "again"):
        assert plan.find(name).node.output_types["out"].origin == origin
    assert plan.find("voice").node.input_types["content"].origin == origin
    assert plan.find("voiced").node.output_types["out"].origin is None
    assert plan.output_type.origin is None


def test_own_origin_overrides_that_of_like(build: Build, scratch_registry: Register) -> None:
    own = Origin("reader", facts={"print": "cccc"})

    class Anew(Passes):
        out = Out(Features, like="content", origin=own)

    scratch_registry("read.anew")(Anew)
    nodes = {"made": node("read.maker", "input"), "anew": node("read.anew", "made")}
    nodes["voice"] = node("read.takes", "anew", print="cccc")
    assert build(nodes).compile().find("anew").node.output_types["out"].origin is own


@pytest.mark.parametrize(
    "wanted", [{}, {"print": "aaaa"}, {"layer": 3}, {"print": "aaaa", "layer": 3}]
)
def test_matching_or_unstated_facts_pass(build: Build, wanted: dict[str, Any]) -> None:
    _chain(build, **wanted).compile()


def test_unstated_origin_is_not_compared(build: Build) -> None:
    _chain(build, node("read.plain", "input"), print="bbbb").compile()
    _chain(build, node("read.maker", "input", print=None), print="bbbb").compile()


def test_another_model_is_refused(build: Build, tmp_path: Path) -> None:
    files = {name: str(tmp_path / name) for name in ("model.pth", "voice.pth")}
    made = node("read.maker", "input", weights=files["model.pth"])
    problem = _problem(_chain(build, made, file=files["voice.pth"], print="bbbb", layer=3))
    assert problem.code == "another-origin"
    assert problem.message == (
        "again feeds voice, which goes with another reader: expected print bbbb, found print aaaa"
    )
    assert [text for text, _ in problem.notes] == [
        f"made  {files['model.pth']} is Reader (layer 3, print aaaa)",
        f"voice  {files['voice.pth']} goes with Wanted (print bbbb, layer 3)",
    ]
    assert problem.fix.splitlines() == [
        "nodes.made.params.weights: PATH   (the file of print bbbb, Wanted)",
        "or, to mix them on purpose,  nodes.voice.params.any_reader: true",
    ]


def test_fact_is_placed_at_its_param(build: Build) -> None:
    problem = _problem(_chain(build, layer=5))
    assert "expected layer 5, found layer 3" in problem.message
    assert problem.fix.splitlines()[0] == "nodes.made.params.layer: 5"


def test_all_differing_facts_are_named(build: Build) -> None:
    problem = _problem(_chain(build, print="bbbb", layer=5))
    assert "expected print bbbb, layer 5, found print aaaa, layer 3" in problem.message
    assert len(problem.fix.splitlines()) == 3


def test_origin_error_names_every_place(refused: Callable[..., PipelineError]) -> None:
    """The edge, the asset that names one file, the param that names the other."""
    text = (
        "block: 10ms\n"
        "input: {rate: 1200}\n"
        "assets: {maker: model.pth}\n"
        "nodes:\n"
        "  made: {use: read.maker, in: input}\n"
        "  voice: {use: read.takes, in: made, params: {file: voice.pth, print: bbbb}}\n"
        "output: voice\n"
    )
    (problem,) = refused(text).problems
    source_map = [mark for mark in (problem.mark, *(at for _, at in problem.notes)) if mark]
    assert [(mark.line, mark.column) for mark in source_map] == [(6, 32), (3, 17), (6, 53)]
    fix = "assets.maker: PATH   (the file of print bbbb, Wanted)"
    assert str(problem.fix).splitlines()[0] == fix
    override = {"assets.maker": "other.pth"}
    (problem,) = refused(text, overrides=override).problems
    assert str(problem.fix).splitlines()[0] == fix
    assert "other.pth is Reader" in problem.notes[0][0]


def test_it_may_be_waived(build: Build) -> None:
    plan = _chain(build, print="bbbb", any_reader=True).compile()
    page = " ".join(plan.explain().split())
    assert "takes any reader: None goes with Wanted (print bbbb), but None is Reader" in page


def test_wrong_width_is_one_problem(build: Build) -> None:
    made = node("read.maker", "input", dim=DIM + 1)
    assert _problem(_chain(build, made, print="bbbb")).code == "types-do-not-fit"


def test_origin_passes_through_a_loop(build: Build) -> None:
    nodes = {
        "made": node("read.maker", "input"),
        "sum": node("read.adds", {"one": "made", "other": "late"}),
        "late": node("read.late", "sum"),
        "voice": node("read.takes", "late", print="bbbb"),
    }
    problem = _problem(build(nodes))
    assert problem.message.startswith("late feeds voice, which goes with another reader")
    assert problem.notes[0][0].startswith("made  ")


@pytest.mark.parametrize(
    ("made", "wanted", "outcome", "said"),
    [
        ({}, {"print": "aaaa"}, "same", ""),
        ({}, {}, "not stated", "reader not stated by v.pth, except the name Wanted, so not"),
        (None, {}, "not stated", "the name Wanted, so not compared; what comes does not say"),
        ({"print": None}, {"print": "b"}, "not stated", "not compared: v.pth goes with Wanted ("),
        (None, {"print": "b"}, "not stated", "(print b), but what comes does not say"),
        ({}, {"print": "b", "any_reader": True}, "another", "v.pth goes with Wanted (print b)"),
    ],
)
def test_reports_say_what_was_compared(
    build: Build,
    tmp_path: Path,
    made: dict[str, Any] | None,
    wanted: dict[str, Any],
    outcome: str,
    said: str,
) -> None:
    weights = str(tmp_path / "m.pth")
    maker = node("read.maker", "input", weights=weights, **made) if made is not None else None
    plan = _chain(
        build, maker or node("read.plain", "input"), file=str(tmp_path / "v.pth"), **wanted
    ).compile()
    by_name = {entry.name: entry for entry in report_plan(plan).nodes}
    found = by_name["voice"].inputs[0].origin
    assert found is not None
    assert found.outcome == outcome
    assert (found.wanted_by, found.noun) == ("v.pth", "reader")
    assert by_name["passed"].inputs[0].origin is None
    page = " ".join(plan.explain().split())
    assert said in page
    assert ("reader" in page) == (outcome != "same")
