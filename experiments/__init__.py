"""Experiments: a file of factors over pipelines, to a page that says which differences are real.

People who compare variants use this room, by ``voicegraph experiment`` or from Python. Authors of
metrics import from here what they need, such as ``observer`` and ``metric``. ``__init__.pyi`` tells
type checkers about names that are imported late.
docs/experiments.md says how; docs/design.md how its rooms depend on each other.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .metric import (
    Condition,
    Heard,
    Metric,
    MetricFamily,
    Need,
    NotMeasured,
    Observer,
    Origin,
    Params,
)
from .registry import condition, family, metric, observer
from .task import Arrays

_LAZY = {
    "Experiment": "driver.experiment",
    "Processes": "engines.processes",
    "Ray": "engines.ray",
    "Run": "results.run",
    "Serial": "engines.serial",
    "swap": "driver.experiment",
}
"""What compiles pipelines or starts processes: imported when first used."""

__all__ = [
    *_LAZY,
    "Arrays",
    "Condition",
    "Heard",
    "Metric",
    "MetricFamily",
    "Need",
    "NotMeasured",
    "Observer",
    "Origin",
    "Params",
    "condition",
    "family",
    "metric",
    "observer",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
