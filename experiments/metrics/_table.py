"""The shipped families of metrics by name, and families that are made of single functions."""

from __future__ import annotations

from collections.abc import Sequence

from ..metric import Metric, MetricFamily, Params
from ..registry import FAMILIES, FUNCTIONS

BUILTIN: dict[str, str] = {
    "cost": "cost",
    "f0": "f0",
    "latency": "latency",
    "level": "level",
    "likeness": "likeness",
    "pauses": "pauses",
    "phones": "phones",
    "quality": "quality",
    "stoi": "stoi",
    "voicing": "voicing",
    "words": "words",
}
"""Name -> module of this folder."""


def names() -> list[str]:
    """What an entry of ``metrics`` may name: families, sorted."""
    return sorted({*FAMILIES.names(), *(name.partition(".")[0] for name in FUNCTIONS)})


def find(name: str) -> type[MetricFamily]:
    """The family of a name; the dotted name of a function gives it alone.

    Raises:
        KeyError: if the name is unknown.
        ImportError: if its module fails.
    """
    try:
        return FAMILIES.find(name)
    except KeyError:
        chosen = [m for key, m in FUNCTIONS.items() if name in (key, key.partition(".")[0])]
        if not chosen:
            raise
        return _family_of(name, chosen)


def _family_of(name: str, chosen: Sequence[Metric]) -> type[MetricFamily]:
    class FunctionFamily(MetricFamily):
        """Metrics of single functions."""

        def metrics(self, given: Params) -> Sequence[Metric]:
            """All of the family."""
            del given
            return chosen

    FunctionFamily.name = name
    FunctionFamily.text = " ".join(metric.text for metric in chosen if metric.text)
    return FunctionFamily
