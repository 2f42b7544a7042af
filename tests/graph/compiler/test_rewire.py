"""Bypassed nodes, adapters before the input, pruned nodes."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.signals import Audio

Build = Callable[..., Pipeline]
HEAD = "block: 10ms\ninput: {rate: 16000}\nnodes:\n"


def sources(plan: Plan) -> dict[str, str]:
    return {n.name: str(next(iter(n.inputs.values())).source) for n in plan.nodes if n.inputs}


def off(use: str, source: Any, **params: Any) -> dict[str, Any]:
    return {**node(use, source, **params), "enabled": False}


# ---- switched off -------------------------------------------------------------------------------


def test_bypassed_node_passes_input_through(build: Build) -> None:
    nodes = {
        "a": node("test.shift", "input", by=1),
        "b": off("test.shift", "a", by=5),
        "c": off("test.scale", "b"),
        "d": node("test.shift", "c", by=2),
    }
    plan = build(nodes).compile()
    assert sources(plan) == {"a": "input.audio", "d": "a.out"}
    assert plan.bypassed == ("b", "c")
    with plan.session(warm_up=False) as session:
        made = session.process(np.arange(12, dtype=np.float32))
    np.testing.assert_array_equal(made, [0, 0, 0, *range(9)])


def test_the_output_may_be_off(build: Build) -> None:
    nodes = {"a": node("test.shift", "input"), "b": off("test.shift", "a")}
    assert str(build(nodes).compile().output) == "a.out"


@pytest.mark.parametrize("value", [False, None, 0, ""])
def test_values_of_enabled_that_switch_off(build: Build, value: Any) -> None:
    nodes = {"a": {**node("test.shift", "input"), "enabled": value}}
    assert build(nodes).compile().bypassed == ("a",)


@pytest.mark.parametrize("value", [True, 1, "index.faiss"])
def test_values_of_enabled_that_switch_on(build: Build, value: Any) -> None:
    nodes = {"a": {**node("test.shift", "input"), "enabled": value}}
    assert build(nodes).compile().bypassed == ()


def test_null_params_of_disabled_node_are_allowed(refused: Any) -> None:
    """`enabled: $index` and `params: {index: $index}`: null disables the node and is no index."""
    text = HEAD.replace("nodes", "vars: {rate: null}\nnodes")
    text += "  a: {use: dsp.resample, in: input, enabled: $rate, params: {rate: $rate}}\n"
    text += "  b: {use: dsp.gain, in: a, params: {db: 99}}\noutput: b\n"
    assert [p.message.partition(" ")[0] for p in refused(text).problems] == ["b"]


def test_wrong_params_of_disabled_node_are_reported(refused: Any) -> None:
    text = HEAD + "  a: {use: dsp.gain, in: input, enabled: false, params: {db: 99}}\noutput: a\n"
    (problem,) = refused(text).problems
    assert problem.code == "out-of-range"


def test_unread_bypassed_node_is_ignored(build: Build) -> None:
    nodes = {"n": {"use": "test.count", "enabled": False}, "a": node("test.shift", "input")}
    plan = build(nodes).compile()
    assert (plan.bypassed, plan.pruned) == (("n",), ())


@pytest.mark.parametrize(
    ("nodes", "message", "place"),
    [
        (
            "  a: {use: test.count, enabled: false}\n",
            "a (test.count) is off, but it has nothing to pass through", (4, 33),
        ),
        (
            "  f: {use: test.tracker, in: input, enabled: null}\n"
            "  v: {use: test.vocoder, in: {audio: input, pitch: f}}\n"
            "  a: {use: dsp.sola, in: v}\n",
            "f (test.tracker) is off, but it cannot pass audio through as pitch", (4, 46),
        ),
        (
            "  s: {use: test.split, in: input, enabled: 0}\n  a: {use: test.join, in: s.soon}\n",
            "s (test.split) is off, so nothing makes its output `soon`, which is used", (4, 44),
        ),
        (
            "  a: {use: dsp.gain, in: b, enabled: false}\n"
            "  b: {use: dsp.gain, in: a, enabled: false}\n",
            "a (dsp.gain) is off, and its source is off, too, so it has nothing to pass through",
            (4, 38),
        ),
    ],
)  # fmt: skip
def test_bypass_gaps_are_reported(refused: Any, nodes: str, message: str, place: Any) -> None:
    (problem,) = refused(f"{HEAD}{nodes}output: a\n").problems
    assert problem.code == "cannot-bypass"
    assert problem.message == message
    assert (problem.mark.line, problem.mark.column) == place
    assert problem.fix == f"nodes.{message[0]}.enabled: true"


def test_type_error_names_bypassed_node(refused: Any) -> None:
    (problem,) = refused(
        "block: 10ms\nnodes:\n"
        "  down: {use: dsp.resample, in: input, enabled: false, params: {rate: 16000}}\n"
        "  f: {use: test.tracker, in: down}\n"
        "  v: {use: test.vocoder, in: {audio: down, pitch: f}}\n"
        "  a: {use: dsp.sola, in: v}\noutput: a\n"
    ).problems
    assert problem.message == "input feeds f, which takes audio at 16000 Hz, but gives 48000 Hz"
    text, mark = problem.notes[-1]
    assert text == "down is switched off, so it passes its input through"
    assert (mark.line, mark.column) == (3, 49)
    assert problem.fix == "nodes.down.enabled: true"


# ---- what a driver brings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "wanted", "chain"),
    [
        (Audio(Fraction(16000), 1), (16000, 1), []),
        (Audio(Fraction(48000), 1), (16000, 1), ["input.resample"]),
        (Audio(Fraction(16000), 2), (16000, 1), ["input.to_mono"]),
        (Audio(Fraction(48000), 2), (16000, 1), ["input.to_mono", "input.resample"]),
        (Audio(Fraction(48000), 1), (16000, 2), ["input.resample", "input.to_stereo"]),
        (
            Audio(Fraction(48000), 2), (16000, 3),
            ["input.to_mono", "input.resample", "input.to_stereo"],
        ),
    ],
)  # fmt: skip
def test_adapters_convert_any_input(
    build: Build, source: Audio, wanted: tuple[int, int], chain: list[str]
) -> None:
    keys: dict[str, Any] = {"input": {"rate": wanted[0], "channels": wanted[1]}}
    plan = build({"a": node("dsp.gain", "input"), "b": node("dsp.gain", "a")}, **keys).compile(
        source
    )
    assert [n.name for n in plan.nodes] == [*chain, "a", "b"]
    assert plan.source == source
    assert plan.find("a").node.input_types["audio"] == Audio(Fraction(wanted[0]), wanted[1])


def test_rate_may_be_an_int(build: Build) -> None:
    plan = build({"a": node("dsp.gain", "input")}, input={"rate": 16000}).compile(
        source=Audio(44100, 2)  # pyright: ignore[reportArgumentType]
    )
    with plan.session(warm_up=False) as session:
        made = session.push(np.zeros((2, 1000), np.float32))
        tail = session.flush()
    assert plan.samples_in == 441
    assert isinstance(plan.latency.algorithmic, Fraction)
    assert made.shape[1] + tail.shape[1] >= 1000 * 160 / 441 + plan.latency_out


def test_the_adapters_latency_counts(build: Build) -> None:
    plan = build({"a": node("test.around", "input", ahead=16)}, input={"rate": 16000}).compile(
        source=Audio(Fraction(48000), 1)
    )
    assert plan.latency.algorithmic >= Fraction(16 + 128, 16000)


def test_adapters_precede_all_input_readers(build: Build) -> None:
    nodes = {
        "a": node("test.shift", "input"),
        "b": node("test.sum", {"one": "a", "other": "input"}),
    }
    plan = build(nodes).compile(source=Audio(Fraction(2400), 1))
    assert {str(k.source) for n in plan.nodes for k in n.inputs.values()} == {
        "input.audio", "input.resample.out", "a.out",
    }  # fmt: skip


def test_an_input_that_nobody_reads_is_not_adapted(build: Build) -> None:
    plan = build({"n": node("test.count", None)}).compile(source=Audio(Fraction(48000), 2))
    assert [n.name for n in plan.nodes] == ["n"]
    assert plan.pruned == ()


def test_the_output_may_be_the_adapted_input(build: Build) -> None:
    plan = build({"idle": node("test.shift", "input")}, "input").compile(
        source=Audio(Fraction(1200), 2)
    )
    assert str(plan.output) == "input.to_mono.out"
    with plan.session(warm_up=False) as session:
        made = session.process(np.stack([np.ones(12), np.zeros(12)]).astype(np.float32))
    np.testing.assert_array_equal(made, np.full((1, 12), 0.5))


def test_mistakes_are_found_behind_adapters(build: Build) -> None:
    """Not as if the driver's rate were that of the file."""
    nodes = {
        "f": node("test.tracker", "input"),
        "v": node("test.vocoder", {"audio": "input", "pitch": "f"}),
        "a": node("dsp.sola", "v"),
        "bad": node("dsp.gain", "nowhere"),
    }
    with pytest.raises(PipelineError) as caught:
        build(nodes, "a", input={"rate": 16000}).compile(source=Audio(Fraction(44100), 2))
    assert [p.code for p in caught.value.problems] == ["no-such-node"]


# ---- pruned -------------------------------------------------------------------------------------


def test_pruned_nodes_are_named(build: Build) -> None:
    nodes = {
        "dead": node("test.shift", "input", by=-500),
        "deader": node("test.shift", "dead"),
        "a": node("test.shift", "input"),
    }
    plan = build(nodes).compile()
    assert [n.name for n in plan.nodes] == ["a"]
    assert plan.pruned == ("dead", "deader")
    assert plan.latency.algorithmic == 0  # its look-ahead costs nothing
    with pytest.raises(PipelineError, match="dead: it was pruned"):
        plan.find("dead")


def test_pruning_keeps_loops_that_reach_output(build: Build) -> None:
    nodes = {
        "mix": node("test.sum", {"one": "input", "other": "back"}),
        "back": node("test.shift", "mix", by=12),
        "aside": node("test.shift", "back"),
    }
    plan = build(nodes, "mix").compile()
    assert {n.name for n in plan.nodes} == {"mix", "back"}
    assert plan.pruned == ("aside",)
