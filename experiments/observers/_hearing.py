"""Observers as text, and what one of them says about a sound."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import soxr
from pydantic import ValidationError

from voicegraph.graph.errors import PipelineError, Problem

from .. import packages
from ..evaluation import NOT_MEASURED
from ..metric import NotMeasured, Observer, Params
from ..registry import OBSERVERS
from ..task import Result

_SILENT = 10 ** (-80 / 20)
_AT_ONCE = 12
"""Observers that a process keeps loaded."""


def spell(name: str, params: Params | Mapping[str, Any] | None = None) -> str:
    """An observer with params as text: equal params give equal text.

    Args:
        name: of the observer.
        params: those that differ from the defaults are written, sorted.

    Raises:
        KeyError: if the name is unknown.
        pydantic.ValidationError: if a param is wrong.
    """
    model = OBSERVERS.find(name).params
    given = params if isinstance(params, Params) else model.model_validate(dict(params or {}))
    written = given.model_dump(mode="json", exclude_defaults=True)
    if not written:
        return name
    return name + json.dumps(written, sort_keys=True, separators=(",", ":"))


def parse(text: str) -> tuple[type[Observer], Params]:
    """The class and the params of an observer.

    Args:
        text: ``name``, or ``name{params as JSON}``.

    Raises:
        PipelineError: if the observer is unknown, cannot be imported, or a param is wrong.
    """
    name, brace, rest = text.partition("{")
    try:
        cls = OBSERVERS.find(name)
        return cls, cls.params.model_validate_json(brace + rest if brace else "{}")
    except KeyError:
        raise PipelineError(OBSERVERS.unknown(name)) from None
    except ImportError as error:
        problem = Problem("import-failed", f"the observer {name} cannot be imported: {error}")
        raise PipelineError(problem) from error
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(str(part) for part in wrong["loc"]) or "its params"
        said = f"the observer {name} does not take {place}: {wrong['msg']}"
        raise PipelineError(Problem("wrong-param", said)) from None


def missing(text: str) -> Problem | None:
    """The problem that packages of an observer are not installed; None if all are.

    Raises:
        PipelineError: as :func:`parse` does.
    """
    cls, _ = parse(text)
    return packages.missing(f"the observer {cls.name}", cls.needs)


def hear(text: str, audio: np.ndarray, rate: int) -> Result:
    """What an observer says about a sound.

    Args:
        text: the observer.
        audio: ``[samples]``.
        rate: in Hz; the sound is resampled to the observer's.

    Returns:
        Arrays; or none, and the reason under :data:`NOT_MEASURED`.

    Raises:
        PipelineError: as :func:`parse` does, or if a package is missing.
    """
    if (problem := missing(text)) is not None:
        raise PipelineError(problem)
    cls, _ = parse(text)
    if (why := _why_not(cls, audio, rate)) is not None:
        return Result({}, {NOT_MEASURED: why})
    heard = audio.astype(np.float64)
    if rate != cls.rate:
        heard = soxr.resample(heard, rate, cls.rate)
    try:
        found = _loaded(text, cls).observe(heard.astype(np.float32))
    except NotMeasured as reason:
        return Result({}, {NOT_MEASURED: str(reason)})
    return Result(found)


def _why_not(cls: type[Observer], audio: np.ndarray, rate: int) -> str | None:
    if not np.isfinite(audio).all():
        return "the sound has NaN or infinite samples"
    if len(audio) < max(1, cls.shortest_s * rate):
        return f"the sound is shorter than {cls.shortest_s * 1000:g} ms"
    if not cls.hears_silence and np.abs(audio).max() < _SILENT:
        return "the sound is silent"
    return None


@functools.lru_cache(maxsize=_AT_ONCE)
def _loaded(text: str, cls: type[Observer]) -> Observer:
    """An instance; of the class that has the name now, since a file may be run again."""
    made = cls(parse(text)[1])
    made.load()
    return made
