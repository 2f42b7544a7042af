"""Conditions on how two runs may differ, such as ``f0.gross<=.01`` or ``identical``.

A condition is about B less A, the mean over speakers, and has to hold in every cell of both runs.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from voicegraph.graph.errors import Mark, PipelineError, Problem
from voicegraph.schemas.experiment_difference import (
    CostDifference,
    DifferenceLimit,
    ValueDifference,
)
from voicegraph.schemas.experiment_manifest import Manifest

from ._cost_contrasts import PLAN_METRICS

_OPTION = "--within"
_IDENTICAL = "identical"
_PATTERN = re.compile(
    r"\s*(?P<name>[^\s<>=≤≥]+)\s*(?P<sign>>=|<=|>|<|≥|≤)\s*"
    r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(?P<unit>[A-Za-z%]*)\s*"
)
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
    "≥": operator.ge, "≤": operator.le,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Limit:
    text: str
    metric: str
    sign: str
    bound: float

    def worst(self, found: Iterable[tuple[float, str]]) -> tuple[float, str]:
        """The difference nearest to breaking it, with its cell."""
        pick = max if self.sign[0] in "<≤" else min
        return pick(found, key=lambda item: item[0])


@dataclass(frozen=True, slots=True)
class DifferenceLimits:
    """All conditions of a comparison."""

    limits: Sequence[_Limit]

    @classmethod
    def parse(cls, texts: Sequence[str], a: Manifest, b: Manifest) -> DifferenceLimits:
        """Conditions ``METRIC SIGN NUMBER``, or ``identical``.

        Raises:
            PipelineError: with every mistake, and what was probably meant.
        """
        known = list(dict.fromkeys(metric.name for run in (a, b) for metric in run.metrics))
        found = [_parse(text, known) for text in texts]
        if problems := [each for each in found if isinstance(each, Problem)]:
            raise PipelineError(problems)
        return cls([each for each in found if isinstance(each, _Limit)])

    def judge(
        self,
        values: Sequence[ValueDifference],
        costs: Sequence[CostDifference],
        *,
        identical: bool,
    ) -> list[DifferenceLimit]:
        """Judges every condition by the cell in which it is worst."""
        return [_judge(limit, values, costs, identical=identical) for limit in self.limits]


def _parse(text: str, known: Sequence[str]) -> _Limit | Problem:
    if text.strip() == _IDENTICAL:
        return _Limit(text.strip(), _IDENTICAL, "", 0.0)
    match = _PATTERN.fullmatch(text)
    mark = Mark(f"{_OPTION} {text!r}")
    if match is None:
        usual = f"{_OPTION} '{known[0] if known else 'f0.gross'}<=0.01'"
        said = "expected METRIC <= NUMBER or METRIC >= NUMBER, or identical"
        return Problem("wrong-limit", said, mark, fix=usual)
    name = match["name"]
    if name not in known and not name.startswith(PLAN_METRICS):
        said = f"there is no metric {name}; there are: {', '.join(known) or 'none'}"
        close = difflib.get_close_matches(name, known, 1)
        fix = f"{_OPTION} '{close[0]}{text[match.end('name') :].strip()}'" if close else None
        return Problem("wrong-limit", said, mark, fix=fix)
    if match["unit"] not in ("", "%"):
        said = f"expected a number in the metric's own unit, found the unit {match['unit']}"
        fix = f"{_OPTION} '{name}{match['sign']}{match['number']}'"
        return Problem("wrong-limit", said, mark, fix=fix)
    bound = float(match["number"]) / (100 if match["unit"] else 1)
    return _Limit(text.strip(), name, match["sign"], bound)


def _judge(
    limit: _Limit,
    values: Sequence[ValueDifference],
    costs: Sequence[CostDifference],
    *,
    identical: bool,
) -> DifferenceLimit:
    if limit.metric == _IDENTICAL:
        why = None if identical else "cells, plans or values differ, or one run lacks some"
        ok: bool | None = identical
        if not any(row.pairs for row in values):
            ok, why = None, "there is no value in both runs"
        return DifferenceLimit(limit=limit.text, found=None, cell=None, ok=ok, why=why)
    found, why = _differences(limit, values, costs)
    if why is not None or not found:
        why = why or "no cell of both runs has values of it"
        return DifferenceLimit(limit=limit.text, found=None, cell=None, ok=None, why=why)
    value, cell = limit.worst(found)
    ok = _SIGNS[limit.sign](value, limit.bound)
    return DifferenceLimit(limit=limit.text, found=value, cell=cell, ok=ok, why=None)


def _differences(
    limit: _Limit, values: Sequence[ValueDifference], costs: Sequence[CostDifference]
) -> tuple[list[tuple[float, str]], str | None]:
    """Differences with their cells, or why one cannot be judged."""
    if limit.metric.startswith(PLAN_METRICS):
        name = limit.metric.partition(".")[2]
        rows = [row for row in costs if row.name == name]
        if other := [row for row in rows if not row.comparable]:
            return [], f"{other[0].cell} was measured on different machines"
        return [(row.difference, row.cell) for row in rows], None
    asked = [row for row in values if row.metric == limit.metric]
    if empty := [row for row in asked if row.difference is None]:
        return [], f"in {empty[0].cell} no clip has a value in both"
    return [(row.difference, row.cell) for row in asked if row.difference is not None], None
