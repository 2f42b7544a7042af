"""Summarizes observations as the metrics of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ._bootstrap import Mean, difference, mean
from ._costs import Cost
from ._metrics import METRICS, Comparison, mean_embedding
from ._observation import Observation, read
from ._rows import Row
from .clips import Clip


@dataclass(frozen=True, slots=True)
class Summary:
    """The metrics of one row.

    Attributes:
        row: the condition.
        names: of the clips, or of the held-out utterances.
        sexes: of their speakers.
        values: by metric ``[clips]``.
        cost: of its pipeline, if it was measured.
        latency_ms: algorithmic and buffering.
    """

    row: Row
    names: tuple[str, ...]
    sexes: tuple[str, ...]
    values: Mapping[str, np.ndarray]
    cost: Cost | None = None
    latency_ms: tuple[float, float] | None = None

    def mean(self, metric: str, sex: str | None = None) -> Mean:
        """Mean over all speakers, or those of one sex."""
        chosen = [sex in (None, other) for other in self.sexes]
        return mean(self.values[metric][chosen])

    def against(self, other: Summary, metric: str) -> Mean | None:
        """Paired difference from another row; None if the clips differ."""
        if self.names != other.names:
            return None
        return difference(self.values[metric], other.values[metric])


def of_clips(
    row: Row,
    clips: Sequence[Clip],
    made: Callable[[Clip], Path],
    source: Callable[[Clip], Path],
    target: np.ndarray,
    cost: Cost | None = None,
    latency_ms: tuple[float, float] | None = None,
) -> Summary:
    """A row of sources or of converted clips.

    Args:
        row: the condition.
        clips: its clips.
        made: path of the observation of a clip's output.
        source: path of the observation of the clean clip.
        target: see :class:`~._metrics.Comparison`.
        cost: see :class:`Summary`.
        latency_ms: see :class:`Summary`.
    """
    pairs = [Comparison(read(made(clip)), read(source(clip)), target) for clip in clips]
    names, sexes = tuple(clip.name for clip in clips), tuple(clip.sex for clip in clips)
    return Summary(row, names, sexes, _values(pairs), cost, latency_ms)


def of_target(row: Row, held: Sequence[Observation]) -> Summary:
    """A row of held-out speech; each utterance is compared with the mean of the others."""
    embeddings = np.stack([each.embedding for each in held])
    pairs = [
        Comparison(each, None, mean_embedding(np.delete(embeddings, number, 0)))
        for number, each in enumerate(held)
    ]
    names = tuple(str(number) for number in range(len(held)))
    return Summary(row, names, (row.voice.sex,) * len(held), _values(pairs))


def _values(pairs: Sequence[Comparison]) -> dict[str, np.ndarray]:
    return {metric.name: np.array([metric.of(each) for each in pairs]) for metric in METRICS}
