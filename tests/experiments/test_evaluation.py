"""From observations to numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voicegraph.experiments import Heard, Metric, NotMeasured
from voicegraph.experiments.evaluation import NOT_MEASURED, Observations, Value, evaluate
from voicegraph.experiments.task import Result

NOTHING = Heard(made={}, source={}, given={})


def _value(measure: Callable[[Heard], float], heard: Heard = NOTHING) -> Value:
    return evaluate(Metric("a.b", "b", measure, span=(0, 1)), heard)


def _raise(error: Exception) -> Callable[[Heard], float]:
    def measure(heard: Heard) -> float:
        del heard
        raise error

    return measure


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NotMeasured("no voiced frame"), "no voiced frame"),
        (ZeroDivisionError("division by zero"), "a.b failed: ZeroDivisionError: division by zero"),
        (KeyError("x"), "a.b failed: KeyError: 'x'"),
    ],
)
def test_what_raises_has_no_value(error: Exception, why: str) -> None:
    assert _value(_raise(error)) == Value(None, why)


def test_values_are_finite_and_within_the_span() -> None:
    assert _value(lambda heard: 0.5) == Value(0.5)
    assert _value(lambda heard: 1.0000001) == Value(1.0)
    assert _value(lambda heard: 2.0) == Value(None, "a.b gave 2, outside of its span 0..1")
    assert _value(lambda heard: float("nan")) == Value(None, "it is nan")


def test_an_observer_without_an_answer_gives_its_reason() -> None:
    made = Observations({"x.y": Result({}, {NOT_MEASURED: "the sound is silent"})})
    assert list(made) == ["x.y"]
    found = _value(lambda heard: heard.made["x.y"]["n"][0], Heard(made=made, source={}, given={}))
    assert found == Value(None, "the sound is silent")


def test_an_observer_that_has_not_heard_a_sound_is_named() -> None:
    made = Observations({})
    assert "x.y" not in made
    found = _value(lambda heard: heard.made["x.y"]["n"][0], Heard(made=made, source={}, given={}))
    assert found == Value(None, "x.y was not observed")
