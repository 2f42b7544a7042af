"""Which metrics do not judge which systems: both learned from the same, or are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.files.models.identify import identify
from voicegraph.graph.plan import CompiledPlan
from voicegraph.schemas.card import Card

from .. import observers
from ..compiled import Dependence
from ..metric import Metric

_SAYING = ("source", "training_data", "description")
"""Fields of a card that say what a model was made of."""
_AROUND = 60


def dependences(
    found: Sequence[Metric],
    plans: Mapping[str, CompiledPlan],
    systems: Mapping[str, Iterable[tuple[str, str]]],
) -> list[Dependence]:
    """Metrics that are not independent of systems.

    An observer's origins are compared with the nodes of a plan, and with what the cards of its
    files say about where they come from.

    Args:
        found: the metrics.
        plans: by key.
        systems: key of a plan -> system and overrides for which it stands. If all overrides of a
            system are concerned, the system is named alone.
    """
    every: dict[str, set[str]] = {}
    for variants in systems.values():
        for name, overrides in variants:
            every.setdefault(name, set()).add(overrides)
    shared: dict[tuple[str, str, str], dict[str, set[str]]] = {}
    for metric in found:
        for key, plan in plans.items():
            for origin, why in _shared(metric, plan):
                concerned = shared.setdefault((metric.name, origin, why), {})
                for name, overrides in systems[key]:
                    concerned.setdefault(name, set()).add(overrides)
    return [
        Dependence(metric, system, origin, why)
        for (metric, origin, why), concerned in shared.items()
        for name, variants in concerned.items()
        for system in _named(name, variants, every[name])
    ]


def _named(name: str, variants: set[str], every: set[str]) -> list[str]:
    if variants == every:
        return [name]
    return [f"{name}, {variant}" if variant else name for variant in sorted(variants)]


def _shared(metric: Metric, plan: CompiledPlan) -> Iterator[tuple[str, str]]:
    for text in dict.fromkeys((*metric.made, *metric.source, *metric.given, *metric.targets)):
        cls, _ = observers.parse(text)
        for origin in cls.origins:
            if why := _told(plan, origin.name):
                yield origin.name, f"{text} hears by {origin.what or origin.name}; {why}"


def _told(plan: CompiledPlan, origin: str) -> str | None:
    """Where a plan states an origin; None if it does not."""
    for planned in plan.nodes:
        if planned.use == origin:
            return f"the node {planned.name} is {planned.use}"
    word = re.compile(rf"(?<![\w.]){re.escape(origin)}(?![\w])", re.IGNORECASE)
    for content in plan.files.values():
        for said in _statements(content.path, content.sha256):
            if found := word.search(said):
                return f"{content.path.name}: {_excerpt(said, found.start())}"
    return None


def _excerpt(text: str, at: int) -> str:
    start, end = max(0, at - _AROUND), at + _AROUND
    left, right = "..." if start else "", "..." if end < len(text) else ""
    return left + text[start:end].strip() + right


@lru_cache(maxsize=1024)
def _statements(path: Path, sha256: str) -> tuple[str, ...]:
    card = card_of(path, sha256)
    found = [getattr(card, name, "") for name in _SAYING]
    return tuple(text for text in found if text)


@lru_cache(maxsize=1024)
def card_of(path: Path, sha256: str) -> Card | None:
    """The card of a model file; None if it has none. The hash tells versions apart."""
    del sha256
    try:
        return identify(path).card
    except (VoicegraphError, OSError):
        return None
