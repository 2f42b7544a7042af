"""The conformance suites find what is wrong with plug-ins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from voicegraph.experiments import (
    Condition,
    Need,
    Observer,
    Params,
    condition,
    conformance,
    metric,
    observer,
    registry,
)
from voicegraph.graph.errors import PipelineError

ELSEWHERE = {"other_process": "these plug-ins live in this process only"}


@pytest.fixture(autouse=True)
def _isolated() -> Iterator[None]:
    with registry.isolated():
        yield


def _observer(observe: Any, **declared: Any) -> None:
    members = {"observe": lambda self, audio: observe(self, audio), "hears_silence": True}
    observer("bad.one", **declared)(type("Bad", (Observer,), members))


def _stateful(self: Any, audio: np.ndarray) -> dict[str, np.ndarray]:
    self.count = getattr(self, "count", 0) + 1
    return {"n": np.array(self.count)}


def _writing(self: Any, audio: np.ndarray) -> dict[str, np.ndarray]:
    audio *= 0.5
    return {"n": np.array(len(audio))}


@pytest.mark.parametrize(
    ("observe", "declared", "said"),
    [
        (_stateful, {}, "order: a sound heard between changes it"),
        (_writing, {}, "keeps_input:"),
        (lambda self, a: {"n": 1 / np.max(np.abs(a))}, {}, "odd_sounds: "),
        (lambda self, a: {"n": np.array(a[-2000])}, {}, "odd_sounds: 120 ms: IndexError"),
        (lambda self, a: {"n": np.array(np.nan)}, {}, "arrays: n has NaN or infinity"),
        (lambda self, a: {"n": [1.0]}, {}, "arrays: n is list"),
        (lambda self, a: {}, {}, "arrays: it keeps nothing"),
        (lambda self, a: {"n": a}, {"needs": [Need("numpy", "numpy")]}, "names no licence"),
    ],
    ids=["state", "input", "infinite", "short", "NaN", "list", "nothing", "licence"],
)
def test_bad_observers_fail(observe: Any, declared: dict[str, Any], said: str) -> None:
    _observer(observe, **declared)
    with np.errstate(divide="ignore"), pytest.raises(AssertionError) as caught:
        conformance.check_observer("bad.one", ELSEWHERE)
    assert said in str(caught.value)


def test_missing_packages_are_no_failure_but_an_error() -> None:
    _observer(lambda self, a: {"n": a}, needs=[Need("no-such", "no_such_module")], licence="MIT")
    with pytest.raises(PipelineError, match="no-such"):
        conformance.check_observer("bad.one")


def _level(made: Any, source: Any) -> float:
    """Difference of levels."""
    return float(made["rms_db"] - source["rms_db"])


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"better": "lower", "ideal": 3.0}, "ideal: speech against itself gives 0, not 3"),
        ({"span": (1, 0)}, "declared: its span is 1..0"),
        ({"title": "> 3 dB"}, "declared: its title '> 3 dB' does not begin with a word"),
        ({"span": (0, 1), "ideal": 2.0}, "declared: its ideal is outside of its span"),
    ],
)
def test_bad_metrics_fail(declared: dict[str, Any], said: str) -> None:
    metric("bad.level", of="contour.level", against="source", **declared)(_level)
    with pytest.raises(AssertionError) as caught:
        conformance.check_metric("bad.level", skip=ELSEWHERE)
    assert f"bad.level: {said}" in str(caught.value)


def test_metrics_that_raise_fail() -> None:
    @metric("bad.raises", of="contour.level")
    def _raises(made: Any) -> float:
        """Divides by the length minus that of a second."""
        return 1.0 if len(made["level"]) > 100 else made["no such array"]

    with pytest.raises(AssertionError, match="no such array"):
        conformance.check_metric("bad.raises", skip=ELSEWHERE)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda audio, random: audio[1:], "form: "),
        (lambda audio, random: audio + random.standard_normal(len(audio)), "repeated: "),
        (lambda audio, random: audio / audio.max(), "odd_sounds: "),
    ],
    ids=["length", "chance", "silence"],
)
def test_bad_conditions_fail(change: Any, said: str) -> None:
    class WrongParams(Params):
        wrong: int

    random = np.random.default_rng()

    @condition("wrong")
    class Wrong(Condition):
        text = "wrong"
        params = WrongParams

        def apply(self, audio: np.ndarray, rate: int, given: Params, seed: int) -> Any:
            made = change(audio, random)
            if not np.isfinite(made).all():
                raise ZeroDivisionError
            return made, {}

    with np.errstate(all="ignore"), pytest.raises(AssertionError) as caught:
        conformance.check_condition({"wrong": 1}, ELSEWHERE)
    assert said in str(caught.value)


def test_checks_are_left_out_with_a_reason_only() -> None:
    with pytest.raises(ValueError, match="with a reason"):
        conformance.check_observer("contour.level", {"order": ""})
    with pytest.raises(ValueError, match="there is no check 'nois'"):
        conformance.check_metric("level", skip={"nois": "none"})
