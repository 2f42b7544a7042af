"""Phone recognition by the bundled content encoder."""

from __future__ import annotations

import functools

import numpy as np
import torch

from voicegraph.graph.metrics import ctc
from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork

from ._features import ENCODER


def phones(audio: np.ndarray) -> list[str]:
    """The most probable phones, in IPA, of float32 ``[samples]`` at 16 kHz."""
    with torch.inference_mode():
        best = _network().log_probabilities(torch.from_numpy(audio)[None])[0].argmax(-1)
    tokens = _tokens()
    found = [tokens[int(one)] for one in ctc.collapse(best.numpy(), len(tokens) - 1)]
    return [token for token in found if not token.startswith("<")]  # <wb> is a word boundary


@functools.cache
def _network() -> PhoneticNetwork:
    return load_phonetic(ENCODER)


@functools.cache
def _tokens() -> tuple[str, ...]:
    return open_phonetic(ENCODER)[1].tokens
