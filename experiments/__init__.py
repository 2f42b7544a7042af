"""Experiments: a file of factors over pipelines, to a page that says which differences are real.

People who compare variants use this room, by ``voicegraph experiment`` or from Python. Authors of
metrics import from here what they need, such as ``observer`` and ``metric``.
docs/experiments.md says how; docs/design.md how its rooms depend on each other.
"""

from __future__ import annotations

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

__all__ = [
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
