"""Selects the utterances of one speaker: the one who speaks most.

Each utterance has a speaker embedding for each 1.6 s (``speaker_network.py``). The main speaker is
the centroid of the largest group. Similarity is the scalar product with the centroid; an utterance
belongs to the speaker if it is similar as a whole, and if none of its parts is too different.

The thresholds come from LibriSpeech: pieces of 5 s of 118 speakers, each against the centroid of
the other pieces of a speaker; the mean embedding was taken from 119 other speakers. The first
threshold rejects 1.7 % of a speaker's own pieces and accepts 1.3 % of other speakers'; 18 % of
the own are rejected in another room and over another channel, as ``augmentation.py`` makes
them. The second threshold rejects 1.8 % of the own, and finds 96 % of other speakers who speak for
3.2 s within an utterance. Among three to eight pieces of one speaker and one of another, 97.7 % of
the others were found, and 0.3 % of the speaker's own rejected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voicegraph.experiments.observers.speaker_network import mean_speaker_vector

SAME_SPEAKER = 0.42
"""Scalar product with the speaker's middle from which an utterance is the speaker's."""
SAME_SPEAKER_PART = 0.28
"""Lowest similarity of each part of it."""
PART_WINDOWS = 2
"""Windows in a part: 2.4 s."""
_ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Speaker:
    """The main speaker.

    Attributes:
        centroid: mean speaker embedding ``[256]``, of length 1.
        share: of all speech that is this speaker's.
    """

    centroid: np.ndarray
    share: float


def main_speaker(utterances: Sequence[np.ndarray], seconds: Sequence[float]) -> Speaker:
    """Finds the one who speaks most.

    Args:
        utterances: speaker embeddings of each, ``[windows, 256]``; at least one utterance.
        seconds: their lengths.
    """
    wholes = np.stack([utterance_vector(u) for u in utterances])
    weights = np.asarray(seconds, float)
    similarity = wholes @ wholes.T
    # Starts at the utterance with the most speech near it, then moves to the mean of what is near.
    centroid = wholes[int(np.argmax((similarity >= SAME_SPEAKER) @ weights))]
    for _ in range(_ROUNDS):
        near = wholes @ centroid >= SAME_SPEAKER
        if not near.any():
            break
        centroid = _unit(weights[near] @ wholes[near])
    inside = wholes @ centroid >= SAME_SPEAKER
    return Speaker(centroid, float(weights[inside].sum() / weights.sum()))


def rejection(utterance: np.ndarray, speaker: Speaker) -> tuple[str, str]:
    """Reason to reject an utterance and its figure; two empty strings if it is the speaker's."""
    similarity = float(utterance_vector(utterance) @ speaker.centroid)
    count = max(len(utterance) - PART_WINDOWS + 1, 1)
    parts = [utterance_vector(utterance[first : first + PART_WINDOWS]) for first in range(count)]
    least = float(min(part @ speaker.centroid for part in parts))
    if similarity < SAME_SPEAKER:
        return (
            "another speaker",
            f"speaker similarity {similarity:.2f}; at least {SAME_SPEAKER} is needed",
        )
    if least < SAME_SPEAKER_PART:
        return (
            "several speakers",
            f"speaker similarity {least:.2f} in a part; at least {SAME_SPEAKER_PART} is needed",
        )
    return "", ""


def utterance_vector(windows: np.ndarray) -> np.ndarray:
    """Embedding of an utterance, without what all speakers have in common.

    Args:
        windows: ``[windows, 256]``.

    Returns:
        ``[256]``, of length 1.
    """
    return _unit(_unit(windows.sum(0)) - mean_speaker_vector())


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
