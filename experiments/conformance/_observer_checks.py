"""Checks of observers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from voicegraph.graph.errors import PipelineError

from .. import observers
from ..evaluation import NOT_MEASURED
from ..metric import Observer, Origin, Params
from ..task import Arrays
from ._other_process import elsewhere
from ._running import run
from ._sounds import RATE, noisy, odd, speech

_PLAIN = "biuf"
"""Kinds of NumPy types that a store can keep without pickle."""


@dataclass(frozen=True, slots=True)
class ObserverCase:
    """An observer that is checked.

    Attributes:
        text: as experiments name it.
        cls: its class.
        params: its params.
    """

    text: str
    cls: type[Observer]
    params: Params

    def fresh(self) -> Observer:
        """A new instance, loaded."""
        made = self.cls(self.params)
        made.load()
        return made


def check_observer(text: str, skip: Mapping[str, str] | None = None) -> None:
    """Runs every check of an observer.

    Args:
        text: its name, with params if it has some.
        skip: checks to leave out, each with the reason.

    Raises:
        AssertionError: if checks failed; lists each of them and the reason.
        PipelineError: if the observer is unknown, or its package is missing.
        ValueError: if ``skip`` is wrong.
    """
    if (problem := observers.missing(text)) is not None:
        raise PipelineError(problem)
    cls, params = observers.parse(text)
    run(_CHECKS, ObserverCase(text, cls, params), skip)


def _declared(case: ObserverCase) -> None:
    cls = case.cls
    assert cls.rate > 0, f"rate is {cls.rate}"
    assert cls.version >= 1, f"version is {cls.version}"
    assert cls.shortest_s > 0, f"shortest_s is {cls.shortest_s}"
    assert cls.licence or not cls.needs, "it needs packages, and names no licence"
    assert all(isinstance(origin, Origin) for origin in cls.origins), "origins are no Origin"
    again = observers.spell(cls.name, case.params)
    assert observers.parse(again) == (cls, case.params), f"{again} does not give its params back"


def _arrays(case: ObserverCase) -> None:
    found = observers.hear(case.text, speech(), RATE)
    why = found.about.get(NOT_MEASURED)
    assert why is None, f"speech cannot be measured: {why}"
    assert found.arrays, "it keeps nothing"
    for name, values in found.arrays.items():
        assert isinstance(values, (np.ndarray, np.generic)), f"{name} is {type(values).__name__}"
        assert values.dtype.kind in _PLAIN, f"{name} has the type {values.dtype}"
        assert np.isfinite(values).all(), f"{name} has NaN or infinity"


def _keeps_input(case: ObserverCase) -> None:
    given = _at_its_rate(case)
    before = given.copy()
    case.fresh().observe(given)
    np.testing.assert_array_equal(given, before, "it changes the sound that it gets")


def _order(case: ObserverCase) -> None:
    """What it heard before does not matter."""
    made = case.fresh()
    first = _digest(made.observe(_at_its_rate(case)))
    made.observe(_at_its_rate(case)[: len(_at_its_rate(case)) // 2][::-1].copy())
    assert _digest(made.observe(_at_its_rate(case))) == first, "a sound heard between changes it"


def _other_process(case: ObserverCase) -> None:
    here = digests_of_speech([case.text])
    there = elsewhere((__name__, "digests_of_speech"), [case.text], cls=case.cls)
    assert there == here, "another process gives other numbers"


def _rates(case: ObserverCase) -> None:
    one, two = (observers.hear(case.text, speech(rate), rate).arrays for rate in (RATE, 48000))
    assert one.keys() == two.keys(), f"at 48 kHz it keeps {sorted(two)}, not {sorted(one)}"
    for name, values in one.items():
        other = np.asarray(two[name])
        assert np.ndim(values) == other.ndim, f"{name} has another shape at 48 kHz"


def _odd_sounds(case: ObserverCase) -> None:
    for name, sound in odd().items():
        try:
            found = observers.hear(case.text, sound, RATE)
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
        why = found.about.get(NOT_MEASURED)
        assert why is None or str(why).strip(), f"{name}: it is not measured without a reason"
        for key, values in found.arrays.items():
            assert np.isfinite(values).all(), f"{name}: {key} has NaN or infinity"


def _noise(case: ObserverCase) -> None:
    found = observers.hear(case.text, noisy(-10.0), RATE)
    assert found.arrays or found.about.get(NOT_MEASURED), "noise gives neither arrays nor a reason"


_CHECKS = {
    "declared": _declared,
    "arrays": _arrays,
    "keeps_input": _keeps_input,
    "order": _order,
    "other_process": _other_process,
    "rates": _rates,
    "odd_sounds": _odd_sounds,
    "noise": _noise,
}


def _at_its_rate(case: ObserverCase) -> np.ndarray:
    return speech(case.cls.rate).copy()


def digests_of_speech(texts: list[str]) -> dict[str, str]:
    """SHA-256 of all that each observer keeps of the speech."""
    return {text: _digest(observers.hear(text, speech(), RATE).arrays) for text in texts}


def _digest(arrays: Arrays) -> str:
    found = hashlib.sha256()
    for name in sorted(arrays):
        values = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {values.dtype} {values.shape}".encode() + values.tobytes())
    return found.hexdigest()
