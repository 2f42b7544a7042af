"""The metrics: each makes one number of the observations of an output and its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voicegraph.experiments.metrics.pause_level import (
    loudest_pause,
    pause_energy,
    pause_energy_after_onset,
)
from voicegraph.graph.metrics.edit_distance import error_rate
from voicegraph.graph.metrics.f0_error import compare_f0

from ._observation import Observation


@dataclass(frozen=True, slots=True)
class Comparison:
    """One clip of one row.

    Attributes:
        made: the output.
        source: the clean clip; None for speech that was not converted.
        target: mean speaker embedding of the voice's held-out speech, ``[256]``, of length 1.
    """

    made: Observation
    source: Observation | None
    target: np.ndarray


@dataclass(frozen=True, slots=True)
class Metric:
    """A column.

    Attributes:
        name: key in the JSON.
        title: in the table.
        digits: after the decimal point.
        of: computes it; NaN if it does not apply.
        wanted: the goal of live conversion.
        at_least: whether higher is better.
        snr_db: signal-to-noise ratio at which the goal is set.
    """

    name: str
    title: str
    digits: int
    of: Callable[[Comparison], float]
    wanted: float | None = None
    at_least: bool = False
    snr_db: float | None = None

    @property
    def goal(self) -> str:
        """The goal as text, such as ``at most 0.12``."""
        if self.wanted is None:
            return ""
        words = "at least" if self.at_least else "at most"
        noise = "" if self.snr_db is None else f", {self.snr_db:g} dB"
        return f"{words} {self.wanted:g}{noise}"


def _of_two(measure: Callable[[Observation, Observation], float]) -> Callable[[Comparison], float]:
    """Compares the output with its source; NaN without a source."""
    return lambda pair: float("nan") if pair.source is None else measure(pair.made, pair.source)


def _of_pauses(
    measure: Callable[[np.ndarray, np.ndarray, np.ndarray], float],
) -> Callable[[Comparison], float]:
    """Measures the output in the pauses of its source; without a source, in its own."""

    def found(pair: Comparison) -> float:
        clean = pair.source or pair.made
        return measure(pair.made.level, clean.level, clean.f0)

    return found


METRICS = (
    Metric(
        "phone_error",
        "phone error",
        3,
        _of_two(lambda made, source: error_rate(list(source.phones), list(made.phones))),
        wanted=0.12,
    ),
    Metric(
        "allphone",
        "allphone",
        3,
        _of_two(lambda made, source: error_rate(list(source.allphones), list(made.allphones))),
    ),
    Metric(
        "to_target",
        "like target",
        3,
        lambda pair: float(pair.made.embedding @ pair.target),
        wanted=0.88,
        at_least=True,
    ),
    Metric(
        "to_source",
        "like source",
        3,
        _of_two(lambda made, source: float(made.embedding @ source.embedding)),
    ),
    Metric("mos", "DNSMOS", 2, lambda pair: float(pair.made.mos[0]), wanted=3.2, at_least=True),
    Metric("p808", "P.808", 2, lambda pair: float(pair.made.mos[1])),
    Metric(
        "f0_cents",
        "F0 error, cents",
        1,
        _of_two(lambda made, source: compare_f0(made.f0, source.f0).cents),
    ),
    Metric(
        "f0_gross",
        "> 100 cents",
        3,
        _of_two(lambda made, source: compare_f0(made.f0, source.f0).gross),
    ),
    Metric(
        "voicing",
        "voicing",
        3,
        _of_two(lambda made, source: compare_f0(made.f0, source.f0).voicing),
        wanted=0.97,
        at_least=True,
    ),
    Metric(
        "start",
        "start, semitones",
        2,
        _of_two(lambda made, source: abs(compare_f0(made.f0, source.f0).start)),
    ),
    Metric("pauses", "pauses, dB", 1, _of_pauses(pause_energy), wanted=-55.0, snr_db=20.0),
    Metric("later", "pauses after 0.5 s, dB", 1, _of_pauses(pause_energy_after_onset)),
    Metric("bursts", "bursts, dB", 1, _of_pauses(loudest_pause)),
)


def mean_embedding(embeddings: np.ndarray) -> np.ndarray:
    """The mean of speaker embeddings ``[utterances, 256]``, scaled to length 1."""
    mean = embeddings.mean(0)
    return mean / np.linalg.norm(mean)
