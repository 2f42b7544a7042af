"""Checks of conditions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph.errors import InputError, PipelineError

from .. import conditions
from ..metric import Params
from ._other_process import elsewhere
from ._running import run
from ._sounds import RATE, odd, speech

_RATES = (8000, 16000, 24000, 44100, 48000)
_CLIP, _SEED = "conformance", 1


@dataclass(frozen=True, slots=True)
class ConditionCase:
    """A condition that is checked.

    Attributes:
        name: of the condition.
        level: as in a file.
        params: of the level.
    """

    name: str
    level: Mapping[str, Any]
    params: Params

    def apply(self, audio: np.ndarray, rate: int, seed: int = _SEED, clip: str = _CLIP) -> Any:
        """The sound, and what is known of it."""
        return conditions.apply(self.name, self.params, audio, rate, seed, clip)


def check_condition(level: Mapping[str, Any], skip: Mapping[str, str] | None = None) -> None:
    """Runs every check of a condition.

    Args:
        level: as in a file, such as ``{"noise": "pink", "snr": 10}``.
        skip: checks to leave out, each with the reason.

    Raises:
        AssertionError: if checks failed; lists each of them and the reason.
        PipelineError: if the condition is unknown, or its package is missing.
        ValueError: if ``skip`` is wrong.
    """
    name, params = conditions.ask(level)
    if (problem := conditions.missing(name)) is not None:
        raise PipelineError(problem)
    run(_CHECKS, ConditionCase(name, level, params), skip)


def _declared(case: ConditionCase) -> None:
    cls = conditions.find(case.name)
    assert cls.version >= 1, f"version is {cls.version}"
    assert cls.text.strip(), "it does not say what it does"
    assert case.name in cls.params.model_fields, f"no param is called {case.name}, as it is"


def _form(case: ConditionCase) -> None:
    for rate in _RATES:
        sound = speech(rate)
        made, known = case.apply(sound, rate)
        assert made.shape == sound.shape, f"at {rate} Hz {made.shape} samples of {sound.shape}"
        for name, values in known.items():
            assert np.isfinite(values).all(), f"{name} has NaN or infinity"


def _keeps_input(case: ConditionCase) -> None:
    given = speech().copy()
    case.apply(given, RATE)
    np.testing.assert_array_equal(given, speech(), "it changes the sound that it gets")


def _repeated(case: ConditionCase) -> None:
    one, two = (case.apply(speech(), RATE)[0] for _ in range(2))
    assert one.tobytes() == two.tobytes(), "the second time it gives another sound"


def _other_process(case: ConditionCase) -> None:
    levels = [_plain(case.level)]
    here = digests_of_conditions(levels)
    cls = conditions.find(case.name)
    there = elsewhere((__name__, "digests_of_conditions"), levels, cls=cls)
    assert there == here, "another process gives another sound"


def _odd_sounds(case: ConditionCase) -> None:
    for name, sound in odd().items():
        if not np.isfinite(sound).all() or not len(sound):
            continue  # a clip that is no sound is refused before
        try:
            case.apply(sound, RATE)
        except InputError:
            continue  # its problem says why
        except Exception as error:
            raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error


_CHECKS = {
    "declared": _declared,
    "form": _form,
    "keeps_input": _keeps_input,
    "repeated": _repeated,
    "other_process": _other_process,
    "odd_sounds": _odd_sounds,
}


def digests_of_conditions(levels: list[dict[str, Any]]) -> list[str]:
    """SHA-256 of the speech under each condition."""
    return [_digest(level) for level in levels]


def _digest(level: Mapping[str, Any]) -> str:
    name, params = conditions.ask(level)
    made, known = conditions.apply(name, params, speech(), RATE, _SEED, _CLIP)
    found = hashlib.sha256(made.tobytes())
    for key in sorted(known):
        found.update(np.ascontiguousarray(known[key]).tobytes())
    return found.hexdigest()


def _plain(value: Any) -> Any:
    """A level as JSON values: names of files as text."""
    if isinstance(value, Mapping):
        return {key: _plain(held) for key, held in value.items()}
    return str(value) if isinstance(value, Path) else value
