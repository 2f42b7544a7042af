"""Type inference from the input to the output, and type errors."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio, Mask, Pitch

Build = Callable[..., Pipeline]
HEAD = "block: 10ms\ninput: {rate: 48000, channels: 2}\nnodes:\n"


def place(problem: Any) -> tuple[int, int]:
    return problem.mark.line, problem.mark.column


def test_types_flow_from_the_input(build: Build) -> None:
    nodes = {
        "mono": node("dsp.to_mono", "input"),
        "to16k": node("dsp.resample", "mono", rate=16000),
        "f0": node("test.tracker", "to16k"),
        "voice": node("test.vocoder", {"audio": "mono", "pitch": "f0"}),
        "join": node("dsp.sola", "voice"),
    }
    plan = build(nodes, input={"rate": 48000, "channels": 2}).compile()
    assert plan.find("mono").node.output_types == {"out": Audio(Fraction(48000), 1)}
    assert plan.find("f0").node.input_types == {"audio": Audio(Fraction(16000), 1)}
    assert plan.find("f0").node.output_types == {
        "pitch": Pitch(Fraction(100)),
        "voiced": Mask(Fraction(100)),
    }
    assert plan.output_type == Audio(Fraction(48000), 1)


def test_pure_node_keeps_windows_and_streams(build: Build) -> None:
    nodes = {
        "w": node("test.estimate", "input"),
        "pure": node("test.around", "w"),
        "mixed": node("test.sum", {"one": "input", "other": "pure"}),
        "stream": node("test.around", "input"),
        "join": node("test.join", "mixed"),
        "all": node("test.sum", {"one": "join", "other": "stream"}),
    }
    plan = build(nodes).compile()
    windows = {n.name for n in plan.nodes if n.asked["out"].window}
    assert windows == {"w", "pure", "mixed"}


def test_windows_propagate_through_loops(build: Build) -> None:
    """`sum` reads a window that is downstream of a loop, and gets its type after it."""
    nodes = {
        "sum": node("test.sum", {"one": "input", "other": "w"}),
        "join": node("test.join", "sum"),
        "w": node("test.estimate", "mix"),
        "mix": node("test.sum", {"one": "input", "other": "back"}),
        "back": node("test.shift", "mix", by=12),
    }
    plan = build(nodes, "join").compile()
    assert plan.find("sum").asked["out"].window


# ---- what is refused ----------------------------------------------------------------------------


def test_wrong_rate_suggests_resampling(refused: Any) -> None:
    (problem,) = refused(
        "block: 10ms\nnodes:\n"
        "  f0: {use: test.tracker, in: input}\n"
        "  v: {use: test.vocoder, in: {audio: input, pitch: f0}}\n"
        "  s: {use: dsp.sola, in: v}\noutput: s\n"
    ).problems
    assert problem.code == "types-do-not-fit"
    assert problem.message == ("input feeds f0, which takes audio at 16000 Hz, but gives 48000 Hz")
    assert place(problem) == (3, 31)
    assert problem.notes[0][0] == "input  audio 48000 Hz x1 <- input.rate, input.channels"
    assert problem.fix == (
        "add to nodes:  to16k: {use: dsp.resample, in: input, params: {rate: 16000}}\n"
        "and write  nodes.f0.in: to16k"
    )


def test_features_at_another_rate_need_another_source(refused: Any) -> None:
    (problem,) = refused(
        "extends: default-live\nnodes:\n"
        "  level: {use: dsp.loudness, in: {audio: to16k, speech: content}}\n"
    ).problems
    assert "takes features at 100 Hz, but gives 50 Hz" in problem.message
    assert problem.fix == "feed level from nodes that give features at 100 Hz"


def test_fix_changes_rate_param(refused: Any) -> None:
    (problem,) = refused(
        "block: 20ms\nnodes:\n"
        "  down: {use: dsp.resample, in: input, params: {rate: 22050}}\n"
        "  same: {use: dsp.gain, in: down}\n"
        "  f0: {use: test.tracker, in: same}\n"
        "  v: {use: test.vocoder, in: {audio: same, pitch: f0}}\n"
        "  s: {use: dsp.sola, in: v}\noutput: s\n"
    ).problems
    assert "same feeds f0, which takes audio at 16000 Hz, but gives 22050 Hz" in problem.message
    text, mark = problem.notes[0]
    assert text == "down  audio 22050 Hz x1 <- params.rate"
    assert (mark.line, mark.column) == (3, 55)
    assert problem.fix is not None


def test_fix_changes_rate_at_source_node(refused: Any) -> None:
    error = refused(
        "block: 20ms\nnodes:\n"
        "  down: {use: dsp.resample, in: input, params: {rate: 22050}}\n"
        "  f0: {use: test.tracker, in: down}\n"
        "  v: {use: test.vocoder, in: {audio: down, pitch: f0}}\n"
        "  s: {use: dsp.sola, in: v}\noutput: s\n"
    )
    assert [p.fix for p in error.problems] == ["nodes.down.params.rate: 16000"]


def test_too_many_channels(refused: Any) -> None:
    (problem,) = refused(
        HEAD + "  mono: {use: dsp.gain, in: input}\n  t: {use: test.total, in: mono}\noutput: t\n"
    ).problems
    assert problem.message == "mono feeds t, which takes 1 channel, but gives 2 channels"
    assert problem.fix == (
        "add to nodes:  mono_2: {use: dsp.to_mono, in: mono}\nand write  nodes.t.in: mono_2"
    )


def test_inputs_that_must_be_alike(refused: Any) -> None:
    (problem,) = refused(
        HEAD + "  one: {use: dsp.to_mono, in: input}\n"
        "  sum: {use: test.sum, in: {one: input, other: one}}\noutput: sum\n"
    ).problems
    assert problem.message == (
        "one feeds sum.other, which takes the same type as its `one` (audio 48000 Hz x2), "
        "but gives audio 48000 Hz x1"
    )
    assert place(problem) == (5, 48)
    assert [text.partition("  ")[0] for text, _ in problem.notes] == ["one", "input"]
    assert problem.fix == (
        "add to nodes:  wide: {use: dsp.to_stereo, in: one}\nand write  nodes.sum.in.other: wide"
    )


@pytest.mark.parametrize("pitch", ["mono", "f0.voiced"])
def test_wrong_kind_suggests_port_of_right_kind(refused: Any, pitch: str) -> None:
    (problem,) = refused(
        "block: 10ms\ninput: {rate: 16000}\nnodes:\n"
        "  mono: {use: dsp.to_mono, in: input}\n"
        "  f0: {use: test.tracker, in: mono}\n"
        f"  v: {{use: test.vocoder, in: {{audio: mono, pitch: {pitch}}}}}\n"
        "  s: {use: dsp.sola, in: v}\noutput: s\n"
    ).problems
    assert problem.code == "types-do-not-fit"
    assert "takes pitch, but gives" in problem.message
    assert problem.mark.line == 6
    assert problem.fix == "nodes.v.in.pitch: f0"


def test_types_that_a_node_itself_refuses(refused: Any) -> None:
    (problem,) = refused(
        HEAD + "  left: {use: dsp.to_mono, in: input, params: {channel: 3}}\noutput: left\n"
    ).problems
    assert problem.code == "types-do-not-fit"
    assert problem.message == "left: channel is 3, but the input has channels 1 to 2"
    assert place(problem) == (4, 9)


def test_loop_that_changes_its_type_is_refused(refused: Any) -> None:
    (problem,) = refused(
        "block: 10ms\ninput: {rate: 1200}\nnodes:\n"
        "  sum: {use: test.sum, in: {one: input, other: back}}\n"
        "  half: {use: test.pool, in: sum}\n"
        "  back: {use: test.shift, in: half, params: {by: 12}}\n"
        "output: sum\n"
    ).problems
    assert "back feeds sum.other, which takes the same type as its `one`" in problem.message
    assert place(problem) == (4, 48)


def test_window_into_stream_suggests_sola(refused: Any) -> None:
    (problem,) = refused(
        HEAD + "  sola: {use: test.estimate, in: input}\n"
        "  gain: {use: dsp.gain, in: sola}\noutput: gain\n"
    ).problems
    assert problem.code == "window-into-stream"
    assert place(problem) == (5, 29)
    assert problem.fix == (
        "add to nodes:  sola_2: {use: dsp.sola, in: sola}\nand write  nodes.gain.in: sola_2"
    )


def test_a_window_as_the_output(refused: Any) -> None:
    (problem,) = refused(HEAD + "  w: {use: test.estimate, in: input}\noutput: w\n").problems
    assert problem.code == "window-into-stream"
    assert place(problem) == (5, 9)
    assert problem.fix == "add to nodes:  sola: {use: dsp.sola, in: w}\nand write  output: sola"


def test_type_error_is_reported_only_at_its_cause(refused: Any) -> None:
    error = refused(
        "block: 10ms\nnodes:\n"
        "  f0: {use: test.tracker, in: input}\n"
        "  v: {use: test.vocoder, in: {audio: input, pitch: f0}}\n"
        "  sum: {use: test.sum, in: {one: s, other: input}}\n"
        "  s: {use: dsp.sola, in: v}\noutput: sum\n"
    )
    assert len(error.problems) == 1


def test_output_like_unconnected_input_is_an_error(refused: Any) -> None:
    (problem,) = refused(HEAD + "  odd: {use: test.odd, in: {one: input}}\noutput: odd\n").problems
    assert problem.message == (
        "odd: its output has the rate of its input `other`: connect that input"
    )
