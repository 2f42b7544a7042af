from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.tui._param_steps import about, moved, shown, step, typed
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
def test_steps_are_what_people_count_in(param: LiveParam, value: float, size: float) -> None:
    assert step(param, value) == pytest.approx(size)


@given(st.floats(0, 1), st.integers(-15, 15).filter(bool))
def test_moving_stays_in_range_and_on_whole_steps(value: float, steps: int) -> None:
    found = moved(RATE, value, steps)
    assert 0 <= found <= 1
    assert found == pytest.approx(round(found / 0.02) * 0.02)
    assert (found - value) * steps >= 0
    assert abs(found - value) <= abs(steps) * 0.02 + 1e-9


def test_zero_is_met_on_the_way() -> None:
    value = 0.3
    seen = []
    for _ in range(40):
        value = moved(RATE, value, -1)
        seen.append(value)
    assert 0.0 in seen
    assert 0.2 in seen  # and numbers stay short


def test_an_odd_value_is_left_at_once() -> None:
    assert moved(TRANSPOSE, 3.7, 1) == 4
    assert moved(TRANSPOSE, 3.7, -1) == 3
    assert moved(LEVEL, -3.25, 10) == 6


def test_whole_numbers_stay_whole() -> None:
    found = moved(SPEAKER, 3, 1)
    assert (found, type(found)) == (4, int)
    assert moved(SPEAKER, 0, -1) == 0


def test_choices_go_round() -> None:
    assert [moved(MODE, value, 1) for value in ("a", "b", "1")] == ["b", "1", "a"]
    assert moved(MODE, "a", -1) == "1"
    assert moved(MODE, "unknown", 1) == "a"
    assert moved(SWITCH, True, 1) is False
    assert moved(SWITCH, False, -10) is True


def test_a_choice_among_numbers_is_a_number() -> None:
    param = LiveParam(name="n.size", value=10, choices=["10", "20"])
    assert moved(param, 10, 1) == 20


@pytest.mark.parametrize("value", ["{'dry': -6.0}", None, float("nan")], ids=str)
def test_what_cannot_be_moved_says_so(value: object) -> None:
    with pytest.raises(StateError, match="which no key moves") as caught:
        moved(GAINS, value, 1)
    assert caught.value.problems[0].fix == "Enter, and type a value"


def test_values_are_shown_with_their_unit() -> None:
    assert shown(TRANSPOSE, -3.0) == "-3 st"
    assert shown(RATE, 0.66666) == "0.6667"
    assert shown(SWITCH, True) == "true"
    assert shown(TONE, 440.0) == "440 Hz"
    assert shown(GAINS, None) == "null"


def test_typed_values_are_read_as_in_a_file() -> None:
    assert typed(TRANSPOSE, " -3.5 ") == -3.5
    assert typed(SPEAKER, "7") == 7
    assert typed(SWITCH, "true") is True
    assert typed(MODE, "1") == "1"
    assert typed(GAINS, "{dry: -6, wet: 0}") == {"dry": -6, "wet": 0}
    with pytest.raises(PipelineError):
        typed(RATE, "{a: ")


def test_a_param_is_explained() -> None:
    param = TRANSPOSE.model_copy(update={"description": "How far."})
    assert about(param) == "p.t: How far. (-24 .. 24 semitones)"
    assert about(SPEAKER) == "s.speaker: (0 or more)"
    assert about(MODE) == "n.mode: (a | b | 1)"
    assert about(GAINS) == "m.gains:"
