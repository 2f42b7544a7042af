"""What is measured: from what was heard in a converted clip and in its source, one number each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._f0_metrics import compared
from ._levels import later_pauses, loudest_pause, pause_energy
from ._observation import Observation
from ._phone_error import error_rate


@dataclass(frozen=True, slots=True)
class Heard:
    """One clip of one row.

    Attributes:
        made: what came out.
        source: the clean clip that went in; of speech that was not converted, None.
        target: unit vector of the voice's held-out speech, ``[256]``.
    """

    made: Observation
    source: Observation | None
    target: np.ndarray


@dataclass(frozen=True, slots=True)
class Metric:
    """A column.

    Attributes:
        name: in the JSON.
        title: in the table.
        digits: behind the point.
        of: what it is; NaN where it does not apply.
        wanted: what is to be reached, live.
        at_least: whether more is better.
        snr_db: the noise at which that is to be reached.
    """

    name: str
    title: str
    digits: int
    of: Callable[[Heard], float]
    wanted: float | None = None
    at_least: bool = False
    snr_db: float | None = None

    @property
    def goal(self) -> str:
        """Such as ``at most 0.12``."""
        if self.wanted is None:
            return ""
        words = "at least" if self.at_least else "at most"
        noise = "" if self.snr_db is None else f", {self.snr_db:g} dB"
        return f"{words} {self.wanted:g}{noise}"


def _of_two(measure: Callable[[Observation, Observation], float]) -> Callable[[Heard], float]:
    """Of what was made and its source; NaN for speech that has none."""
    return lambda heard: float("nan") if heard.source is None else measure(heard.made, heard.source)


def _of_pauses(
    measure: Callable[[np.ndarray, np.ndarray, np.ndarray], float],
) -> Callable[[Heard], float]:
    """Pauses are the source's; of speech that has none, its own."""

    def found(heard: Heard) -> float:
        clean = heard.source or heard.made
        return measure(heard.made.level, clean.level, clean.f0)

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
        lambda heard: float(heard.made.embedding @ heard.target),
        wanted=0.88,
        at_least=True,
    ),
    Metric(
        "to_source",
        "like source",
        3,
        _of_two(lambda made, source: float(made.embedding @ source.embedding)),
    ),
    Metric("mos", "DNSMOS", 2, lambda heard: float(heard.made.mos[0]), wanted=3.2, at_least=True),
    Metric("p808", "P.808", 2, lambda heard: float(heard.made.mos[1])),
    Metric(
        "f0_cents",
        "F0 error, cents",
        1,
        _of_two(lambda made, source: compared(made.f0, source.f0).cents),
    ),
    Metric(
        "f0_gross",
        "> 100 cents",
        3,
        _of_two(lambda made, source: compared(made.f0, source.f0).gross),
    ),
    Metric(
        "voicing",
        "voicing",
        3,
        _of_two(lambda made, source: compared(made.f0, source.f0).voicing),
        wanted=0.97,
        at_least=True,
    ),
    Metric(
        "start",
        "start, semitones",
        2,
        _of_two(lambda made, source: abs(compared(made.f0, source.f0).start)),
    ),
    Metric("pauses", "pauses, dB", 1, _of_pauses(pause_energy), wanted=-55.0, snr_db=20.0),
    Metric("later", "pauses after 0.5 s, dB", 1, _of_pauses(later_pauses)),
    Metric("bursts", "bursts, dB", 1, _of_pauses(loudest_pause)),
)


def centre(embeddings: np.ndarray) -> np.ndarray:
    """The mean of ``[utterances, 256]``, of length 1."""
    middle = embeddings.mean(0)
    return middle / np.linalg.norm(middle)
