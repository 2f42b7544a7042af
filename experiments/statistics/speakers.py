"""Means of speakers: several clips of a speaker are not independent, so they count once.

Seeds are averaged within a clip, then clips within a speaker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """What two systems are compared on.

    Attributes:
        speaker: who speaks.
        clip: the clip.
        rest: other levels that both systems share.
        seed: of noise and pipeline.
    """

    speaker: str
    clip: str
    rest: tuple[str, ...] = ()
    seed: int = 0


def speaker_means(values: Mapping[Unit, float]) -> dict[str, float]:
    """The mean of each speaker, by name; units without a finite value are left out."""
    clips: dict[tuple[str, str, tuple[str, ...]], list[float]] = defaultdict(list)
    for unit in sorted(values):
        if isfinite(values[unit]):
            clips[unit.speaker, unit.clip, unit.rest].append(values[unit])
    speakers: dict[str, list[float]] = defaultdict(list)
    for (speaker, _, _), found in clips.items():
        speakers[speaker].append(_mean(found))
    return {speaker: _mean(found) for speaker, found in speakers.items()}


def speaker_pairs(
    level: Mapping[Unit, float], baseline: Mapping[Unit, float]
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Means of the speakers over the units of which both systems have a finite value.

    Returns:
        Speakers, and the means of both systems, float64 ``[speakers]``.
    """
    common = _finite(level) & _finite(baseline)
    ours = speaker_means({unit: level[unit] for unit in common})
    theirs = speaker_means({unit: baseline[unit] for unit in common})
    names = tuple(sorted(ours))
    return names, _array(ours, names), _array(theirs, names)


def _mean(values: list[float]) -> float:
    """The mean; of one value, of which there are thousands, that value."""
    return float(values[0]) if len(values) == 1 else float(np.mean(values))


def _finite(values: Mapping[Unit, float]) -> set[Unit]:
    return {unit for unit, value in values.items() if isfinite(value)}


def _array(values: Mapping[str, float], names: Iterable[str]) -> np.ndarray:
    return np.array([values[name] for name in names], np.float64)
