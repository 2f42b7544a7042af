"""An entry of ``metrics`` in an experiment: from its text to numbers, and to what they need."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import PipelineError, Problem

from .. import observers
from ..metric import Metric
from ..registry import FAMILIES, params_of
from ._table import find


def ask(name: str, value: Any = None, folder: Path | None = None) -> tuple[Metric, ...]:
    """The metrics that an entry asks for.

    Args:
        name: of a family, or of a single metric such as ``likeness.target``.
        value: params as in the file: None, a mapping, or the value of
            the family's first param.
        folder: what names of files are relative to; by default the current folder.

    Raises:
        PipelineError: if the name is unknown, or cannot be imported.
        ValueError: if the value is none that it takes.
        pydantic.ValidationError: if a param is wrong.
    """
    try:
        return _of(name, value, folder)
    except KeyError:
        whole, _, part = name.partition(".")
        if part and (chosen := _one_of(whole, name, value, folder)):
            return chosen
        raise PipelineError(FAMILIES.unknown(name)) from None
    except ImportError as error:
        problem = Problem("import-failed", f"the metric {name} cannot be imported: {error}")
        raise PipelineError(problem) from error


def missing(metric: Metric) -> list[Problem]:
    """Problems of packages that a metric's observers need and that are not installed."""
    found = (observers.missing(text) for text in heard_by(metric))
    return list(dict.fromkeys(problem for problem in found if problem))


def heard_by(metric: Metric) -> tuple[str, ...]:
    """All observers of a metric, each once."""
    sides = (metric.made, metric.source, metric.given, metric.targets)
    return tuple(dict.fromkeys(text for side in sides for text in side))


def _of(name: str, value: Any, folder: Path | None) -> tuple[Metric, ...]:
    cls = find(name)
    given = params_of(cls.params, value).located(folder or Path.cwd())
    made = tuple(cls().metrics(given))
    return tuple(_with_citation(metric) for metric in made)


def _one_of(family: str, name: str, value: Any, folder: Path | None) -> tuple[Metric, ...]:
    try:
        return tuple(metric for metric in _of(family, value, folder) if metric.name == name)
    except KeyError:
        return ()


def _with_citation(metric: Metric) -> Metric:
    """A metric without a citation of its own cites its observers."""
    if metric.citation:
        return metric
    return dataclasses.replace(metric, citation=" ".join(_citations(metric)))


def _citations(metric: Metric) -> Iterator[str]:
    for text in heard_by(metric):
        if source := observers.parse(text)[0].source:
            yield source
