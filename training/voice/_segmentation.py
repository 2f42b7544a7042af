"""Segmentation of a recording into utterances of 1.5 to 12 s, cut at pauses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHORTEST_S, LONGEST_S = 1.5, 12.0
STEP_S = 0.032
"""Seconds from one probability of speech to the next."""
_ONSET, _OFFSET = 0.5, 0.35
"""Speech begins at the first probability, and ends below the second (hysteresis)."""
_SHORTEST_RUN_S = 0.1
"""Shorter runs are discarded as breath or noise."""
_INNER_PAUSE_S = 0.6
"""Longest pause inside an utterance."""
_MARGIN_S = 0.2
"""Seconds of pause kept around an utterance: the voice learns pauses, too."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A part of a recording, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def runs(speech: np.ndarray) -> list[Span]:
    """Runs of uninterrupted speech.

    Args:
        speech: probability of speech ``[steps]``, every 32 ms.
    """
    found: list[Span] = []
    begun: int | None = None
    for step, probability in enumerate([*speech, 0.0]):
        if begun is None and probability >= _ONSET:
            begun = step
        elif begun is not None and probability < _OFFSET:
            if (step - begun) * STEP_S >= _SHORTEST_RUN_S:
                found.append(Span(begun * STEP_S, step * STEP_S))
            begun = None
    return found


def utterances(speech: np.ndarray, level: np.ndarray) -> list[Span]:
    """Joins runs over short pauses, cuts long ones, and adds margins.

    Utterances shorter than ``SHORTEST_S`` are included, so that they can be reported.

    Args:
        speech: probability of speech ``[steps]``, every 32 ms.
        level: loudness of these steps ``[steps]``, on any scale.
    """
    pieces = [piece for run in runs(speech) for piece in _cut(run, level)]
    joined: list[Span] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        near = last is not None and piece.start - last.end <= _INNER_PAUSE_S
        if last is not None and near and piece.end - last.start <= LONGEST_S - 2 * _MARGIN_S:
            joined[-1] = Span(last.start, piece.end)
        else:
            joined.append(piece)
    return _with_margins(joined, len(speech) * STEP_S)


def _cut(run: Span, level: np.ndarray) -> list[Span]:
    """Cuts a run at its quietest points into parts of at most the longest length."""
    longest = LONGEST_S - 2 * _MARGIN_S
    if run.seconds <= longest:
        return [run]
    first, last = (round(at / STEP_S) for at in (run.start + longest / 2, run.start + longest))
    at = (first + int(np.argmin(level[first:last]))) * STEP_S
    return [Span(run.start, at), *_cut(Span(at, run.end), level)]


def _with_margins(spans: list[Span], end: float) -> list[Span]:
    """Adds some of the pause on either side; two neighbours share the pause between them."""
    made: list[Span] = []
    for number, span in enumerate(spans):
        before = span.start - (spans[number - 1].end if number else 0.0)
        after = (spans[number + 1].start if number + 1 < len(spans) else end) - span.end
        shares = (before / 2 if number else before, after / 2)
        low, high = (min(_MARGIN_S, share) for share in shares)
        made.append(Span(span.start - low, span.end + high))
    return made
