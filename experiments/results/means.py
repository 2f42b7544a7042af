"""Means of cells over speakers, with intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voicegraph.schemas.experiment_tables import ValueRow

from ..statistics.intervals import mean_intervals
from ..statistics.speakers import Unit, speaker_means


@dataclass(frozen=True, slots=True)
class MeanRow:
    """A metric of a cell.

    Attributes:
        cell: its name.
        metric: its name.
        speakers: speakers with a value.
        values: number of values.
        missing: number of clips and seeds without one.
        mean: over speakers; None without a value.
        low: 95 % BCa interval of the mean; None with fewer than 3 speakers or equal values.
        high: its upper end.
    """

    cell: str
    metric: str
    speakers: int
    values: int
    missing: int
    mean: float | None
    low: float | None
    high: float | None


def cell_means(values: Sequence[ValueRow]) -> list[MeanRow]:
    """The mean of every metric in every cell, in the order of the rows."""
    groups: dict[tuple[str, str], list[ValueRow]] = defaultdict(list)
    for row in values:
        groups[row.cell, row.metric].append(row)
    speakers = {place: _by_speaker(rows) for place, rows in groups.items()}
    ends = _intervals(list(speakers.values()))
    return [
        _mean(*place, rows, found, end)
        for (place, rows), found, end in zip(groups.items(), speakers.values(), ends, strict=True)
    ]


def _by_speaker(rows: Sequence[ValueRow]) -> np.ndarray:
    """``[speakers]``, by name."""
    units = {
        Unit(row.speaker, row.clip, (), row.seed): row.value
        for row in rows
        if row.value is not None
    }
    found = speaker_means(units)
    return np.array([found[name] for name in sorted(found)], np.float64)


def _intervals(found: Sequence[np.ndarray]) -> list[tuple[float, float]]:
    """All with equally many speakers are resampled together."""
    ends = [(np.nan, np.nan)] * len(found)
    for count in {len(one) for one in found}:
        places = [i for i, one in enumerate(found) if len(one) == count]
        low, high = mean_intervals(np.stack([found[i] for i in places], 1))
        for i, *end in zip(places, low, high, strict=True):
            ends[i] = (float(end[0]), float(end[1]))
    return ends


def _mean(
    cell: str,
    metric: str,
    rows: Sequence[ValueRow],
    found: np.ndarray,
    ends: tuple[float, float],
) -> MeanRow:
    count = sum(row.value is not None for row in rows)
    low, high = (None if np.isnan(end) else end for end in ends)
    mean = float(found.mean()) if len(found) else None
    return MeanRow(cell, metric, len(found), count, len(rows) - count, mean, low, high)
