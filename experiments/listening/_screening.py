"""Which listeners count: post-screening of ITU-R BS.1534-3, section 4.1.2.

A listener is left out who rates the hidden reference below 90 in more than 15 % of the trials.
Other kinds of test have nothing hidden to screen by; of MOS those are left out who gave one answer
to all sounds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ._ratings import Rating

LEAST_SCORE = 90
MOST_SHARE = 0.15
_FEWEST = 10
"""Answers of which it can be said that they are always the same."""


def excluded_listeners(kind: str, ratings: Sequence[Rating]) -> Mapping[str, str]:
    """Listener -> why the answers do not count."""
    answers: dict[str, list[Rating]] = defaultdict(list)
    for rating in ratings:
        answers[rating.listener].append(rating)
    why = {who: _why(kind, found) for who, found in answers.items()}
    return {who: text for who, text in why.items() if text}


def _why(kind: str, ratings: Sequence[Rating]) -> str:
    if kind == "mushra":
        hidden = [r.score for r in ratings if r.stimulus.role == "reference"]
        low = sum(score < LEAST_SCORE for score in hidden)
        if hidden and low > MOST_SHARE * len(hidden):
            return (
                f"rated the hidden reference below {LEAST_SCORE} in {low} of {len(hidden)} trials"
            )
        return ""
    scores = {rating.score for rating in ratings}
    if kind == "mos" and len(scores) == 1 and len(ratings) >= _FEWEST:
        return f"gave {scores.pop():g} to all {len(ratings)} sounds"
    return ""
