"""The phones that the content encoder hears, and how many of them are not as they should be."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch

from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork

from .features import ENCODER


def phones(audio: np.ndarray) -> list[str]:
    """The most probable phones, one after the other: float32 ``[samples]`` at 16 kHz."""
    with torch.inference_mode():
        best = _network().log_probabilities(torch.from_numpy(audio)[None])[0].argmax(-1)
    tokens = _tokens()
    said = [tokens[int(one)] for one in torch.unique_consecutive(best)]
    return [token for token in said if not token.startswith("<")]


def error_rate(found: Sequence[str], wanted: Sequence[str]) -> float:
    """Insertions, deletions and substitutions for each phone that is wanted."""
    row = np.arange(len(wanted) + 1)
    for number, one in enumerate(found, 1):
        changed = row[:-1] + np.array([one != other for other in wanted], int)
        best = np.minimum(changed, row[1:] + 1) if len(wanted) else changed
        row = np.concatenate(([number], best))
        # What is inserted runs from left to right.
        row = np.minimum.accumulate(row - np.arange(len(row))) + np.arange(len(row))
    return float(row[-1] / max(len(wanted), 1))


@functools.cache
def _network() -> PhoneticNetwork:
    return load_phonetic(ENCODER)


@functools.cache
def _tokens() -> tuple[str, ...]:
    return open_phonetic(ENCODER)[1].tokens
