"""The metrics and conditions that a file asks for, with mistakes at their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from voicegraph.graph.errors import Problem, Problems, VoicegraphError
from voicegraph.graph.loading.source_map import KeyPath
from voicegraph.graph.loading.validation import add_validation_problems

from .. import conditions, metrics
from ..file.loaded_experiment import LoadedExperiment
from ..metric import Metric, Params
from ..registry import CONDITIONS, FAMILIES, Registry


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of ``metrics``.

    Attributes:
        name: as written: a family, or one metric of it.
        value: its params as written.
        metrics: the numbers that it asks for.
    """

    name: str
    value: Any
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file asks for.

    Attributes:
        entries: what is measured.
        left_out: metrics of optional entries whose packages are missing, and families whose
            entries are wrong: comparisons may name them.
        warnings: what is missing for optional entries, with what installs it.
    """

    entries: list[Entry]
    left_out: frozenset[str]
    warnings: list[Problem]


def ask_metrics(loaded: LoadedExperiment, problems: Problems) -> Asked:
    """The metrics of a file; mistakes and missing packages are added to ``problems``."""
    found: list[Entry] = []
    left_out: set[str] = set()
    warnings: list[Problem] = []
    for entry in loaded.metrics:
        name, at = entry.name, entry.at
        folder = loaded.source_map.base((*at, name))
        try:
            asked = metrics.ask(name, entry.value, folder)
        except Exception as error:
            inside = (*at, name) if (*at, name) in loaded.source_map.places else at
            _add(loaded, problems, error, inside, FAMILIES, name)
            left_out.add(name.partition(".")[0])
            continue
        mark = loaded.source_map.value(at)
        every = {problem for metric in asked for problem in metrics.missing(metric)}
        lacking = [replace(p, mark=mark) for p in sorted(every, key=str)]
        if lacking and entry.optional:
            left_out |= {metric.name for metric in asked}
            warnings += [replace(p, message=f"{name} is left out: {p.message}") for p in lacking]
            continue
        problems.found += lacking
        found.append(Entry(name, entry.value, asked))
    _refuse_twice(loaded, found, problems)
    return Asked(found, frozenset(left_out), warnings)


def _refuse_twice(loaded: LoadedExperiment, found: Sequence[Entry], problems: Problems) -> None:
    seen: dict[str, Entry] = {}
    for entry in found:
        for metric in entry.metrics:
            if metric.name in seen and seen[metric.name] is not entry:
                text = f"{metric.name} is asked for twice, by {seen[metric.name].name}, too"
                mark = loaded.source_map.value(("metrics",))
                problems.add("wrong-value", text, mark, fix=f"remove one: {entry.name}")
            seen[metric.name] = entry


def ask_conditions(
    loaded: LoadedExperiment, problems: Problems
) -> dict[tuple[str, str], tuple[tuple[str, Params], ...]]:
    """Name and params of the conditions of each level, by factor and level."""
    found: dict[tuple[str, str], tuple[tuple[str, Params], ...]] = {}
    for factor, levels in loaded.factors.items():
        for level in levels.values():
            asked: list[tuple[str, Params]] = []
            for number, given in enumerate(level.conditions):
                at = level.at if len(level.conditions) == 1 else (*level.at, number)
                one = _condition(loaded, given, at, problems)
                asked += [one] if one is not None else []
            found[factor, level.name] = tuple(asked)
    return found


def _condition(
    loaded: LoadedExperiment, given: Mapping[str, Any], at: KeyPath, problems: Problems
) -> tuple[str, Params] | None:
    name = next(iter(given))
    folder: Path = loaded.source_map.base(at)
    try:
        asked = conditions.ask(given, folder)
    except Exception as error:
        _add(loaded, problems, error, at, CONDITIONS, name)
        return None
    if (lacking := conditions.missing(name)) is not None:
        problems.found.append(replace(lacking, mark=loaded.source_map.value(at)))
    return asked


def _add(
    loaded: LoadedExperiment,
    problems: Problems,
    error: Exception,
    at: KeyPath,
    registry: Registry[Any],
    name: str,
) -> None:
    """Adds what a plug-in said about its params, at their place in the file."""
    mark = loaded.source_map.value(at)
    who = f"{registry.kind.replace('a ', 'the ', 1)} {name}"
    if isinstance(error, ValidationError):  # then the plug-in can be imported
        family = name if name in registry.names() else name.partition(".")[0]
        model: type[Params] = registry.find(family).params
        add_validation_problems(problems, error, loaded.source_map, at, model, who)
    elif isinstance(error, VoicegraphError):
        problems.found += [replace(p, mark=p.mark or mark) for p in error.problems]
    elif isinstance(error, ValueError):
        problems.add("wrong-value", f"{who}: {error}", mark)
    else:
        text = f"{who} failed: {type(error).__name__}: {error}"
        problems.add("plug-in-failed", text, mark, fix=f"correct {who}, or leave it out")
