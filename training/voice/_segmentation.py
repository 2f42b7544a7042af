"""Where speech is, and how it is cut into utterances: at pauses, 1.5 to 12 s long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHORTEST_S, LONGEST_S = 1.5, 12.0
STEP_S = 0.032
"""From one probability of speech to the next."""
_BEGINS, _ENDS = 0.5, 0.35
"""Probability at which speech begins, and below which it ends."""
_BREATH_S = 0.1
"""Speech that is shorter is none."""
_JOINED_S = 0.6
"""Pauses that stay inside an utterance."""
_MARGIN_S = 0.2
"""Of the pause around an utterance, so much stays: pauses want to be learned, too."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A part of a recording, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


def runs(speech: np.ndarray) -> list[Span]:
    """Uninterrupted speech.

    Args:
        speech: probability of speech ``[steps]``, every 32 ms.
    """
    found: list[Span] = []
    begun: int | None = None
    for step, probability in enumerate([*speech, 0.0]):
        if begun is None and probability >= _BEGINS:
            begun = step
        elif begun is not None and probability < _ENDS:
            if (step - begun) * STEP_S >= _BREATH_S:
                found.append(Span(begun * STEP_S, step * STEP_S))
            begun = None
    return found


def utterances(speech: np.ndarray, level: np.ndarray) -> list[Span]:
    """Speech joined over short pauses and cut where it is too long; margins included.

    Utterances below ``SHORTEST_S`` are among them, for whoever wants to say so.

    Args:
        speech: probability of speech ``[steps]``, every 32 ms.
        level: how loud it is there ``[steps]``, on any scale.
    """
    pieces = [piece for run in runs(speech) for piece in _cut(run, level)]
    joined: list[Span] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        near = last is not None and piece.start - last.end <= _JOINED_S
        if last is not None and near and piece.end - last.start <= LONGEST_S - 2 * _MARGIN_S:
            joined[-1] = Span(last.start, piece.end)
        else:
            joined.append(piece)
    return _with_margins(joined, len(speech) * STEP_S)


def _cut(run: Span, level: np.ndarray) -> list[Span]:
    """A run in parts of at most the longest, cut where it is quietest."""
    longest = LONGEST_S - 2 * _MARGIN_S
    if run.seconds <= longest:
        return [run]
    first, last = (round(at / STEP_S) for at in (run.start + longest / 2, run.start + longest))
    at = (first + int(np.argmin(level[first:last]))) * STEP_S
    return [Span(run.start, at), *_cut(Span(at, run.end), level)]


def _with_margins(spans: list[Span], end: float) -> list[Span]:
    """Each with some of the pause on either side; a pause between two is shared."""
    made: list[Span] = []
    for number, span in enumerate(spans):
        before = span.start - (spans[number - 1].end if number else 0.0)
        after = (spans[number + 1].start if number + 1 < len(spans) else end) - span.end
        shares = (before / 2 if number else before, after / 2)
        low, high = (min(_MARGIN_S, share) for share in shares)
        made.append(Span(span.start - low, span.end + high))
    return made
