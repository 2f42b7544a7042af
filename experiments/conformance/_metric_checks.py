"""Checks of metrics."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from voicegraph.graph.errors import PipelineError

from .. import metrics, observers
from ..evaluation import Observations, Value, evaluate
from ..metric import TRUTH_HZ, Heard, Metric
from ..task import Result
from ._other_process import elsewhere
from ._running import run
from ._sounds import RATE, SNR_DB, noisy, odd, speech

_TAP_HZ = 100.0
_CONTOUR = "f0.swift"
"""What stands for a tap, and for known F0, if the metric wants one."""
_UTTERANCES = 2
_ELSEWHERE = "other_process"
"""The check that is made once for all metrics of an entry."""


@dataclass(frozen=True, slots=True)
class MetricCase:
    """A metric that is checked.

    Attributes:
        metric: the number.
        name: of its entry: a family, or itself.
        value: of its entry.
    """

    metric: Metric
    name: str
    value: Any


def check_metric(name: str, value: Any = None, skip: Mapping[str, str] | None = None) -> None:
    """Runs every check of the numbers that an entry of ``metrics`` asks for.

    Args:
        name: of a family, or of one metric.
        value: params as in a file.
        skip: checks to leave out, each with the reason.

    Raises:
        AssertionError: if checks failed; lists each of them and the reason.
        PipelineError: if the metric is unknown, or a package is missing.
        ValueError: if ``skip`` is wrong.
    """
    left_out = dict(skip or {})
    asked = metrics.ask(name, value)
    if problems := [problem for metric in asked for problem in metrics.missing(metric)]:
        raise PipelineError(problems)
    if unknown := sorted(left_out.keys() - {*_CHECKS, _ELSEWHERE}):
        known = ", ".join([*_CHECKS, _ELSEWHERE])
        raise ValueError(f"there is no check {unknown[0]!r}; there are: {known}")
    failures = []
    for metric in asked:
        checks = _PLAN_CHECKS if metric.per == "plan" else _CHECKS
        fitting = {check: why for check, why in left_out.items() if check in checks}
        try:
            run(checks, MetricCase(metric, name, value), fitting)
        except AssertionError as error:
            failures += [f"{metric.name}: {line}" for line in str(error).splitlines()]
    if _ELSEWHERE not in left_out and (clips := [m for m in asked if m.per == "clip"]):
        failures += _elsewhere(name, value, clips[0])
    if failures:
        raise AssertionError("\n".join(failures))


def _declared(case: MetricCase) -> None:
    metric, (low, high) = case.metric, case.metric.span
    assert metric.name.partition(".")[0] == case.name.partition(".")[0], "its family is another"
    assert metric.title.strip(), "it has no title"
    assert metric.title[0].isalnum(), f"its title {metric.title!r} does not begin with a word"
    assert metric.text.strip(), "it does not say what it is"
    assert low < high, f"its span is {low}..{high}"
    assert metric.ideal is None or low <= metric.ideal <= high, "its ideal is outside of its span"
    assert metric.digits >= 0, f"digits is {metric.digits}"
    assert not metric.monotone or metric.better is not None, "monotone needs a direction"
    if metric.per == "clip":
        assert metric.made or metric.taps, "it hears nothing of what a system gives"


def _ideal(case: MetricCase) -> None:
    found = _value(case.metric, speech())
    assert found.value is not None, f"speech has no value: {found.why}"
    if case.metric.ideal is not None and not case.metric.taps:
        wanted, slack = case.metric.ideal, 0.5 * 10.0**-case.metric.digits
        text = f"speech against itself gives {found.value:g}, not {wanted:g}"
        assert math.isclose(found.value, wanted, abs_tol=slack), text


def _monotone(case: MetricCase) -> None:
    if not case.metric.monotone:
        return
    sounds = [speech(), *map(noisy, SNR_DB)]
    values = [_value(case.metric, sound).value for sound in sounds]
    sign = 1 if case.metric.better == "lower" else -1
    known = [value for value in values if value is not None]
    assert len(known) >= 2, "noisy speech has no value"
    slack = 10.0**-case.metric.digits
    for before, after in itertools.pairwise(known):
        assert sign * (after - before) >= -slack, f"noise makes it better: {known}"
    assert sign * (known[-1] - known[0]) > slack, f"noise changes nothing: {known}"


def _repeated(case: MetricCase) -> None:
    one, two = (_value(case.metric, noisy(SNR_DB[0])) for _ in range(2))
    assert one == two, f"the second time it gives {two}, not {one}"


def _elsewhere(name: str, value: Any, one: Metric) -> list[str]:
    """Whether another process gives the same values; one process for all metrics of an entry."""
    here = values_of_noisy_speech(name, value)
    there = elsewhere((__name__, "values_of_noisy_speech"), name, value, cls=_author(one))
    return [
        f"{metric}: {_ELSEWHERE}: it gives {there[metric]}, not {found}"
        for metric, found in here.items()
        if there[metric] != found
    ]


def _odd_sounds(case: MetricCase) -> None:
    for name, sound in odd().items():
        for made, source in ((sound, speech()), (speech(), sound), (sound, sound)):
            found = _value(case.metric, made, source)
            failed = found.why.startswith(f"{case.metric.name} failed")
            assert not failed, f"{name}: {found.why}"
            assert found.value is not None or found.why.strip(), f"{name}: no value, no reason"


_PLAN_CHECKS = {"declared": _declared}
_CHECKS = {
    "declared": _declared,
    "ideal": _ideal,
    "monotone": _monotone,
    "repeated": _repeated,
    "odd_sounds": _odd_sounds,
}


def values_of_noisy_speech(name: str, value: Any) -> dict[str, list[Any]]:
    """Value and reason of each metric of an entry, of noisy speech."""
    asked = [metric for metric in metrics.ask(name, value) if metric.per == "clip"]
    return {metric.name: list(_value(metric, noisy(SNR_DB[0]))) for metric in asked}


def _author(metric: Metric) -> type:
    """A class of the file that registers a metric."""
    return type("Author", (), {"__module__": metric.measure.__module__})


def _value(metric: Metric, made: np.ndarray, source: np.ndarray | None = None) -> Value:
    clean = speech() if source is None else source
    side = _hear(metric.source, clean)
    tracked = observers.hear(_CONTOUR, clean, RATE).arrays.get("f0", np.zeros(0))
    heard = Heard(
        made=_hear(metric.made, made),
        source=side,
        given=_hear(metric.given, clean),
        targets=[_hear(metric.targets, clean)] * _UTTERANCES,
        taps=dict.fromkeys(metric.taps, tracked),
        rates=dict.fromkeys(metric.taps, _TAP_HZ) | {"f0": TRUTH_HZ},
    )
    return evaluate(metric, heard)


def _hear(texts: tuple[str, ...], sound: np.ndarray) -> Observations:
    return Observations({text: _kept(text, sound.astype(np.float32).tobytes()) for text in texts})


_HEARD: dict[tuple[str, bytes], Result] = {}
_AT_MOST = 400


def _kept(text: str, key: bytes) -> Result:
    """What an observer says; a sound is heard once for all checks of all metrics."""
    if (text, key) not in _HEARD:
        while len(_HEARD) >= _AT_MOST:
            del _HEARD[next(iter(_HEARD))]
        _HEARD[text, key] = observers.hear(text, np.frombuffer(key, np.float32), RATE)
    return _HEARD[text, key]
