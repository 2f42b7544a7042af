"""How long tasks take and how much they store: as the store remembers it, else usual values."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..clip import Clip
from ..store.store import Store
from ..task import Kind, Task

_USUAL_CLIP_S = 6.0
"""Length of a clip that is taken whole, if nothing says how long its file is."""
_CONVERT = 0.4
"""Seconds of computing for a second of sound, of the bundled pipelines on one core."""
_OBSERVE = 0.12
_INPUT = 0.01
_START_S = 0.05
_BLOCK_S = 0.03
_REPETITION_S = 0.3


@dataclass(frozen=True, slots=True)
class Guess:
    """Usual computing times in seconds, before anything was measured."""

    def source(self, clip: Clip, conditions: int) -> float:
        """Of a clip under conditions."""
        return _START_S + _INPUT * (1 + 4 * conditions) * seconds_of(clip)

    def conversion(self, group: str, clip: Clip) -> float:
        """Of a conversion."""
        del group
        return _START_S + _CONVERT * seconds_of(clip)

    def observation(self, observer: str, clip: Clip) -> float:
        """Of an observation."""
        del observer
        return _START_S + _OBSERVE * seconds_of(clip)

    def cost(self, sides: int, blocks: int) -> float:
        """Of costs."""
        return sides * (blocks * 1.25 * _BLOCK_S + 10 * _REPETITION_S)


def seconds_of(clip: Clip) -> float:
    """Length of a clip in seconds, as far as it is known."""
    return _USUAL_CLIP_S if clip.seconds is None else clip.seconds


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take.

    Attributes:
        seconds: computing time of one worker.
        bytes: of results.
        measured: tasks whose time is known from earlier ones of their group.
        tasks: all that are not in the store.
    """

    seconds: float
    bytes: float
    measured: int
    tasks: int


def estimate(missing: Iterable[Task], known: Iterable[Task], store: Store | None) -> Estimate:
    """What the missing tasks will take, by those of their group that are in the store.

    Args:
        missing: tasks without a result.
        known: tasks with one.
        store: where the results are.
    """
    times, sizes = _remembered(known, store)
    seconds = total = 0.0
    measured = count = 0
    for task in missing:
        count += 1
        group = (task.kind, task.group)
        measured += group in times
        seconds += times.get(group, task.expected_s)
        total += sizes.get(task.kind, _usual_size(task))
    return Estimate(seconds, total, measured, count)


def _remembered(
    known: Iterable[Task], store: Store | None
) -> tuple[Mapping[tuple[Kind, str], float], Mapping[Kind, float]]:
    seconds: dict[tuple[Kind, str], list[float]] = {}
    sizes: dict[Kind, list[int]] = {}
    for task in known if store is not None else ():
        assert store is not None
        try:
            record = store.record(task.key)
        except KeyError:
            continue
        sizes.setdefault(task.kind, []).append(record.size)
        if record.seconds:
            seconds.setdefault((task.kind, task.group), []).append(record.seconds)
    return (
        {group: statistics.median(found) for group, found in seconds.items()},
        {kind: statistics.fmean(found) for kind, found in sizes.items()},
    )


def _usual_size(task: Task) -> float:
    sound = 4 * 24000 * _USUAL_CLIP_S
    return {Kind.INPUT: sound, Kind.CONVERT: sound, Kind.OBSERVE: 8e3, Kind.COST: 2e4}[task.kind]
