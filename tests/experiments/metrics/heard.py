"""What metrics get, made of arrays instead of sounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from voicegraph.experiments import Heard, metrics
from voicegraph.experiments.clip import Clip
from voicegraph.experiments.evaluation import Value, evaluate
from voicegraph.experiments.task import Arrays


def heard(
    made: Mapping[str, Arrays], source: Mapping[str, Arrays] | None = None, **more: Any
) -> Heard:
    """Observations of an output and its source."""
    return Heard(made=made, source=source or {}, given=source or {}, **more)


def values(entry: str, value: Any, found: Heard) -> dict[str, Value]:
    """Every number of an entry."""
    return {metric.name: evaluate(metric, found) for metric in metrics.ask(entry, value)}


def text(written: str, key: str = "text") -> Arrays:
    """Text as observers keep it."""
    return {key: np.frombuffer(written.encode(), np.uint8)}


def clip(path: Any, **columns: str) -> Clip:
    """A clip with columns."""
    return Clip("c", path, "0" * 64, "s", columns=columns)
