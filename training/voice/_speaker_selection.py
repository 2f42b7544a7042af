"""Which utterances are of one speaker: the one who speaks most, and nobody else.

Each utterance has a vector for each 1.6 s (``speaker_network.py``). The speaker is the middle of
the largest group; an utterance belongs to the group if it, as a whole, is like the middle, and no
part of it is too unlike.

The bounds come from LibriSpeech: pieces of 5 s of 118 speakers, each against the middle of the
other pieces of a speaker; what all speakers have in common was taken from 119 others. By the first
bound 1.7 % of a speaker's own pieces are lost and 1.3 % of strangers' taken; in another room and
over another line, as ``perturb.py`` makes them, 18 % are lost. By the second 1.8 % are lost, and of
strangers who speak for 3.2 s within an utterance 96 % are found. Of three to eight pieces of one
speaker with one of another, 97.7 % of the strangers were found, and 0.3 % of the speaker's own
lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .speaker_network import common

ALIKE = 0.42
"""Scalar product with the speaker's middle from which an utterance is the speaker's."""
PART = 0.28
"""The same for each part of it."""
STRETCH = 2
"""Windows in a part: 2.4 s."""
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks most.

    Attributes:
        middle: ``[256]``, of length 1.
        share: of the seconds that are this speaker's.
    """

    middle: np.ndarray
    share: float


def main_speaker(utterances: Sequence[np.ndarray], seconds: Sequence[float]) -> Speaker:
    """The one who speaks most.

    Args:
        utterances: vectors of each, ``[windows, 256]``; at least one utterance.
        seconds: how long each is.
    """
    wholes, weights = np.stack([whole(u) for u in utterances]), np.asarray(seconds, float)
    alike = wholes @ wholes.T
    # Begin where the most speech is near: as the crow flies, then by the middle of what is near.
    middle = wholes[int(np.argmax((alike >= ALIKE) @ weights))]
    for _ in range(_ROUNDS):
        near = wholes @ middle >= ALIKE
        if not near.any():
            break
        middle = _unit(weights[near] @ wholes[near])
    inside = wholes @ middle >= ALIKE
    return Speaker(middle, float(weights[inside].sum() / weights.sum()))


def fault(utterance: np.ndarray, speaker: Speaker) -> tuple[str, str]:
    """What is wrong, as a reason and its figure; two empty strings if it is the speaker's."""
    likeness = float(whole(utterance) @ speaker.middle)
    count = max(len(utterance) - STRETCH + 1, 1)
    parts = [whole(utterance[first : first + STRETCH]) for first in range(count)]
    least = float(min(part @ speaker.middle for part in parts))
    if likeness < ALIKE:
        return "another speaker", f"likeness {likeness:.2f}, at least {ALIKE} is needed"
    if least < PART:
        return (
            "several speakers",
            f"likeness {least:.2f} in a part of it, at least {PART} is needed",
        )
    return "", ""


def whole(windows: np.ndarray) -> np.ndarray:
    """What an utterance has and others have not: ``[windows, 256]`` -> ``[256]`` of length 1."""
    return _unit(_unit(windows.sum(0)) - common())


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
