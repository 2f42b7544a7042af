"""Rates against the block, and the block sizes that errors suggest."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph.compiler._rates import common_rate
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio
from voicegraph.schemas.quantities import parse_duration

FILE = """block: {block}
input: {{rate: {rate}}}
nodes:
  pooled: {{use: test.pool, in: input, params: {{by: {by}}}}}
  quiet: {{use: dsp.gain, in: pooled}}
output: quiet
"""


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=4))
def test_all_rates_are_whole_multiples_of_the_common_one(rates: list[int]) -> None:
    common = common_rate(map(Fraction, rates))
    counts = [Fraction(rate) / common for rate in rates]
    assert all(count.denominator == 1 for count in counts)
    assert common_rate(counts) == 1


def test_rate_error_is_at_first_port_of_rate(refused: Any) -> None:
    """Not at every node that passes it on."""
    (problem,) = refused(FILE.format(block="25ms", rate=1000, by=2)).problems
    assert problem.message.startswith("pooled at 500 Hz")


@pytest.mark.parametrize(
    ("block", "rate", "by", "message", "place", "fix"),
    [
        (
            "25ms", 1000, 2,
            "pooled at 500 Hz has 12.5 samples in a block of 25ms, which is not a whole number",
            (4, 11), "block: 24ms   (or 26ms)",
        ),
        (
            "7ms", 44100, 1,
            "input at 44100 Hz has 308.7 samples in a block of 7ms, which is not a whole number",
            (2, 8), "block: 10ms",
        ),
        (
            "1ms", 100, 1,
            "input at 100 Hz has 0.1 samples in a block of 1ms, which is not a whole number",
            (2, 8), "block: 10ms",
        ),
    ],
)  # fmt: skip
def test_wrong_block_shapes_are_refused(
    refused: Any, block: str, rate: int, by: int, message: str, place: Any, fix: str
) -> None:
    (problem,) = refused(FILE.format(block=block, rate=rate, by=by)).problems
    assert problem.code == "rate-against-block"
    assert problem.message == message
    assert (problem.mark.line, problem.mark.column) == place
    assert problem.notes[0][0] == f"block  {block}"
    assert problem.notes[0][1].line == 1
    assert problem.fix == fix


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([8000, 11025, 16000, 22050, 32000, 44100, 48000]),
    st.sampled_from([1, 2, 3, 5, 147, 160]),
    st.integers(1, 300_000),
)
def test_every_suggested_block_works(rate: int, by: int, micros: int) -> None:
    def compiled(block: Any) -> None:
        nodes = {"pooled": node("test.pool", "input", by=by)}
        Pipeline(block=block, input={"rate": rate}, nodes=nodes, output="pooled").compile()

    try:
        compiled(f"{micros}us")
    except PipelineError as error:
        for problem in error.problems:
            fix = str(problem.fix).removeprefix("block: ")
            first, _, other = fix.partition("   (or ")
            for text in filter(None, (first, other.rstrip(")"))):
                assert parse_duration(text) > 0
                compiled(text)


def test_rate_error_names_frames_of_window_output(refused: Any) -> None:
    """25 ms at 100 Hz are 2.5 frames, which is allowed inside the graph but not as output."""
    text = "block: 25ms\ninput: {rate: 16000}\nnodes:\n  f0: {use: test.tracker, in: input}\n"
    (problem,) = refused(text + "output: f0\n").problems
    assert "f0 at 100 Hz has 2.5 frames in a block of 25ms" in problem.message
    assert problem.fix == "block: 20ms   (or 30ms)"


def test_inner_window_need_not_fit_block() -> None:
    nodes = {
        "f0": node("test.tracker", "input"),
        "voice": node("test.vocoder", {"audio": "input", "pitch": "f0"}),
        "join": node("test.join", "voice"),
    }
    keys: dict[str, Any] = {"block": "25ms", "input": {"rate": 16000}}
    plan = Pipeline(nodes=nodes, output="join", **keys).compile()
    assert plan.find("f0").asked["pitch"].count == 3


def test_the_rate_that_a_driver_brings_counts() -> None:
    pipeline = Pipeline(
        block="7ms", input={"rate": 16000}, nodes={"a": node("dsp.gain", "input")}, output="a"
    )
    pipeline.compile()
    with pytest.raises(PipelineError, match=r"input at 44100 Hz has 308\.7 samples"):
        pipeline.compile(source=Audio(Fraction(44100), 1))
