"""The phones that the content encoder hears, and how many of them are not as they should be."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch

from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork

from ..common.edit_distance import edits
from ._features import ENCODER


def phones(audio: np.ndarray) -> list[str]:
    """The most probable phones, one after the other: float32 ``[samples]`` at 16 kHz."""
    with torch.inference_mode():
        best = _network().log_probabilities(torch.from_numpy(audio)[None])[0].argmax(-1)
    tokens = _tokens()
    said = [tokens[int(one)] for one in torch.unique_consecutive(best)]
    return [token for token in said if not token.startswith("<")]


def error_rate(found: Sequence[str], wanted: Sequence[str]) -> float:
    """Insertions, deletions and substitutions for each phone that is wanted."""
    return edits(wanted, found) / max(len(wanted), 1)


@functools.cache
def _network() -> PhoneticNetwork:
    return load_phonetic(ENCODER)


@functools.cache
def _tokens() -> tuple[str, ...]:
    return open_phonetic(ENCODER)[1].tokens
