from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.tui._param_steps import (
    describe_param,
    format_value,
    parse_typed,
    step_size,
    stepped,
)
from voicegraph.graph.errors import PipelineError, StateError
from voicegraph.schemas.live_status import LiveParam

TRANSPOSE = LiveParam(name="p.t", value=0.0, minimum=-24, maximum=24, unit="semitones")
RATE = LiveParam(name="r.rate", value=0.5, minimum=0, maximum=1)
SPEAKER = LiveParam(name="s.speaker", value=0, minimum=0)
LEVEL = LiveParam(name="g.db", value=0.0, minimum=-120, maximum=60, unit="dB")
TONE = LiveParam(name="t.frequency", value=440.0, minimum=0, unit="Hz")
MODE = LiveParam(name="n.mode", value="a", choices=["a", "b", "1"])
SWITCH = LiveParam(name="n.on", value=True, choices=["false", "true"])
GAINS = LiveParam(name="m.gains", value="{'dry': -6.0}")


@pytest.mark.parametrize(
    ("param", "value", "size"),
    [(TRANSPOSE, 0.0, 1), (RATE, 0.5, 0.02), (SPEAKER, 0, 1), (LEVEL, -3.0, 1), (TONE, 440.0, 20),
     (TONE, 0.0, 1), (LiveParam(name="x.y", value=3.0), 3.0, 0.1),
     (LiveParam(name="x.n", value=7, minimum=0, maximum=1000), 7, 20)],
    ids=str,
)  # fmt: skip
def test_step_size_follows_unit_and_range(param: LiveParam, value: float, size: float) -> None:
    assert step_size(param, value) == pytest.approx(size)


@given(st.floats(0, 1), st.integers(-15, 15).filter(bool))
def test_stepped_value_is_a_multiple_within_the_range(value: float, steps: int) -> None:
    found = stepped(RATE, value, steps)
    assert 0 <= found <= 1
    assert found == pytest.approx(round(found / 0.02) * 0.02)
    assert (found - value) * steps >= 0
    assert abs(found - value) <= abs(steps) * 0.02 + 1e-9


def test_steps_down_reach_exactly_zero() -> None:
    value = 0.3
    seen = []
    for _ in range(40):
        value = stepped(RATE, value, -1)
        seen.append(value)
    assert 0.0 in seen
    assert 0.2 in seen  # and numbers stay short


def test_value_between_steps_goes_to_the_next() -> None:
    assert stepped(TRANSPOSE, 3.7, 1) == 4
    assert stepped(TRANSPOSE, 3.7, -1) == 3
    assert stepped(LEVEL, -3.25, 10) == 6


def test_stepped_integer_stays_an_integer() -> None:
    found = stepped(SPEAKER, 3, 1)
    assert (found, type(found)) == (4, int)
    assert stepped(SPEAKER, 0, -1) == 0


def test_stepping_choices_wraps_around() -> None:
    assert [stepped(MODE, value, 1) for value in ("a", "b", "1")] == ["b", "1", "a"]
    assert stepped(MODE, "a", -1) == "1"
    assert stepped(MODE, "unknown", 1) == "a"
    assert stepped(SWITCH, True, 1) is False
    assert stepped(SWITCH, False, -10) is True


def test_choice_keeps_the_type_of_the_value() -> None:
    param = LiveParam(name="n.size", value=10, choices=["10", "20"])
    assert stepped(param, 10, 1) == 20


@pytest.mark.parametrize("value", ["{'dry': -6.0}", None, float("nan")], ids=str)
def test_stepping_other_values_raises_state_error(value: object) -> None:
    with pytest.raises(StateError, match="the arrow keys cannot change") as caught:
        stepped(GAINS, value, 1)
    assert caught.value.problems[0].fix == "press Enter, and type a value"


def test_value_is_formatted_with_its_unit() -> None:
    assert format_value(TRANSPOSE, -3.0) == "-3 st"
    assert format_value(RATE, 0.66666) == "0.6667"
    assert format_value(SWITCH, True) == "true"
    assert format_value(TONE, 440.0) == "440 Hz"
    assert format_value(GAINS, None) == "null"


def test_typed_text_is_parsed_like_a_pipeline_file() -> None:
    assert parse_typed(TRANSPOSE, " -3.5 ") == -3.5
    assert parse_typed(SPEAKER, "7") == 7
    assert parse_typed(SWITCH, "true") is True
    assert parse_typed(MODE, "1") == "1"
    assert parse_typed(GAINS, "{dry: -6, wet: 0}") == {"dry": -6, "wet": 0}
    with pytest.raises(PipelineError):
        parse_typed(RATE, "{a: ")


def test_param_is_described_with_its_range() -> None:
    param = TRANSPOSE.model_copy(update={"description": "How far."})
    assert describe_param(param) == "p.t: How far. (-24 .. 24 semitones)"
    assert describe_param(SPEAKER) == "s.speaker: (0 or more)"
    assert describe_param(MODE) == "n.mode: (a | b | 1)"
    assert describe_param(GAINS) == "m.gains:"
