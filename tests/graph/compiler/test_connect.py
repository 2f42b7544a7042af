"""References: the port that ``in`` and ``output`` name, and errors for wrong names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

Build = Callable[..., Pipeline]
HEAD = "block: 10ms\ninput: {rate: 16000}\nnodes:\n"


def test_node_name_alone_means_first_port(build: Build) -> None:
    nodes = {
        "f0": node("test.tracker", "input"),
        "v": node("test.vocoder", {"audio": "input", "pitch": "f0"}),
        "j": node("test.join", "v"),
        "split": node("test.split", "j"),
    }
    plan = build(nodes, input={"rate": 16000}).compile()
    assert str(plan.find("v").inputs["pitch"].source) == "f0.pitch"
    assert str(plan.find("f0").inputs["audio"].source) == "input.audio"
    assert str(plan.output) == "split.now"


def test_any_port_can_be_named(build: Build) -> None:
    nodes = {"s": node("test.split", "input.audio"), "j": node("test.join", "s.soon")}
    assert str(build(nodes, "j.out").compile().find("j").inputs["audio"].source) == "s.soon"


def test_the_input_may_be_the_output(build: Build) -> None:
    plan = build({"idle": node("test.shift", "input")}, "input").compile()
    assert plan.nodes == ()
    assert plan.pruned == ("idle",)


@pytest.mark.parametrize(
    ("nodes", "output", "code", "message", "place", "fix"),
    [
        (
            "  a: {use: dsp.gain, in: inptu}\n", "a", "no-such-node",
            "`inptu` names no node of this pipeline; there are: input, a",
            (4, 26), "nodes.a.in: input",
        ),
        (
            "  a: {use: dsp.gain, in: {audio: xyz}}\n", "a", "no-such-node",
            "`xyz` names no node of this pipeline; there are: input, a",
            (4, 34), "nodes.a.in.audio: input or a",
        ),
        (
            "  a: {use: dsp.gain, in: input}\n", "zzz.out", "no-such-node",
            "`zzz.out` names no node of this pipeline; there are: input, a",
            (5, 9), "output: a",
        ),
        (
            "  s: {use: test.split, in: input}\n  j: {use: test.join, in: s.son}\n", "j",
            "unknown-port", "s (test.split) has no output `son`; it has: now, soon",
            (5, 27), "nodes.j.in: s.soon",
        ),
        (
            "  a: {use: dsp.gain, in: input.left}\n", "a", "unknown-port",
            "the pipeline's input has no output `left`; it has: audio",
            (4, 26), "nodes.a.in: input",
        ),
        (
            "  e: {use: test.end, in: input}\n  a: {use: dsp.gain, in: e}\n", "a",
            "unknown-port", "e (test.end) has no output; it has: none",
            (5, 26), "name a node that has outputs",
        ),
        (
            "  a: {use: dsp.gain, in: {adio: input}}\n", "a", "unknown-port",
            "a (dsp.gain) has no input `adio`; it has: audio",
            (4, 27), "nodes.a.in.audio: input",
        ),
        (
            "  a: {use: dsp.gain, in: {audio: input, xyz: input}}\n", "a", "unknown-port",
            "a (dsp.gain) has no input `xyz`; it has: audio",
            (4, 41), "remove xyz",
        ),
        (
            "  c: {use: test.count, in: {xyz: input}}\n", "c", "unknown-port",
            "c (test.count) has no input `xyz`; it has: none",
            (4, 29), "remove xyz",
        ),
        (
            "  c: {use: test.count, in: input}\n", "c", "extra-input",
            "c (test.count) has no inputs, but `in` names input",
            (4, 28), "remove `in`",
        ),
        (
            "  a: {use: dsp.gain}\n  b: {use: dsp.gain, in: a}\n", "b", "missing-input",
            "a (dsp.gain) needs its input `audio` (audio)",
            (4, 6), "nodes.a.in: input",
        ),
        (
            "  f0: {use: test.tracker, in: input}\n  v: {use: test.vocoder, in: input}\n"
            "  s: {use: dsp.sola, in: v}\n", "s", "missing-input",
            "v (test.vocoder) needs its input `pitch` (pitch)",
            (5, 6), "nodes.v.in.pitch: f0",
        ),
        (
            "  v: {use: test.vocoder, in: input}\n  s: {use: dsp.sola, in: v}\n", "s",
            "missing-input", "v (test.vocoder) needs its input `pitch` (pitch)",
            (4, 6), "nodes.v.in.pitch: a node that gives pitch (voicegraph nodes)",
        ),
    ],
)  # fmt: skip
def test_wrong_references(
    refused: Any, nodes: str, output: str, code: str, message: str, place: Any, fix: str
) -> None:
    (problem,) = refused(f"{HEAD}{nodes}output: {output}\n").problems
    assert problem.code == code
    assert problem.message == message
    assert (problem.mark.line, problem.mark.column) == place
    assert problem.fix == fix


def test_fix_of_override_uses_its_form(tmp_path: Any) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(HEAD + "  a: {use: dsp.gain, in: input}\noutput: a\n", encoding="utf-8")
    with pytest.raises(PipelineError) as caught:
        Pipeline.load(path, set_args=["nodes.a.in=inptu"]).compile()
    (problem,) = caught.value.problems
    assert str(problem.mark) == "--set nodes.a.in"
    assert problem.fix == "--set nodes.a.in=input"


def test_sources_of_broken_nodes_are_checked(refused: Any) -> None:
    error = refused(HEAD + "  a: {use: dsp.gian, in: nowhere}\noutput: a\n")
    assert [p.code for p in error.problems] == ["unknown-node", "no-such-node"]


def test_ports_in_python_are_marked_by_the_name_of_the_pipeline() -> None:
    with pytest.raises(PipelineError, match=r"^demo  `x` names no node"):
        Pipeline(
            name="demo", block="10ms", nodes={"a": node("dsp.gain", "x")}, output="a"
        ).compile()
