"""Forced alignment: when each phone of a known sequence is said, by the Viterbi algorithm.

Every phone lasts at least one frame; silence between words may be left out.

Source: L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech
recognition", Proceedings of the IEEE, 1989.
"""

from __future__ import annotations

import numpy as np


def align(scores: np.ndarray, symbols: np.ndarray, optional: np.ndarray) -> np.ndarray:
    """The best path through a sequence of symbols.

    Args:
        scores: logarithm of the likelihood of each symbol in each frame, ``[frames, all symbols]``.
        symbols: the sequence, integers ``[states]``.
        optional: bool ``[states]``: symbols that may be left out; no two beside each other.

    Returns:
        The state of each frame, integers ``[frames]``.

    Raises:
        ValueError: if there are fewer frames than symbols that must be said.
    """
    if len(scores) < (~optional).sum():
        raise ValueError(f"{len(scores)} frames are too few for {(~optional).sum()} symbols")
    emitted = scores[:, symbols]
    frames, states = emitted.shape
    skips = np.zeros(states, bool)
    skips[2:] = optional[1:-1]
    best = np.full(states, -np.inf)
    best[: 2 if optional[0] else 1] = emitted[0, : 2 if optional[0] else 1]
    came = np.zeros((frames, states), np.int8)
    for frame in range(1, frames):
        one = np.concatenate(([-np.inf], best[:-1]))
        two = np.where(skips, np.concatenate(([-np.inf, -np.inf], best[:-2])), -np.inf)
        choices = np.stack((best, one, two))
        came[frame] = choices.argmax(0)
        best = choices.max(0) + emitted[frame]
    last = states - 1
    if optional[-1] and states > 1 and best[-2] > best[-1]:
        last = states - 2
    return _path(came, last)


def _path(came: np.ndarray, last: int) -> np.ndarray:
    """Follows the steps back from the last state."""
    found = np.empty(len(came), int)
    state = last
    for frame in range(len(came) - 1, -1, -1):
        found[frame] = state
        state -= int(came[frame, state])
    return found
