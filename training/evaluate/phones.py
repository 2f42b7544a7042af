"""What is said, by the head of the shipped encoder. It is not independent: it is that encoder's."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import torch

from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_network import SHORTEST, PhoneticNetwork

MODEL = Path(__file__).parents[2] / "pipelines" / "models" / "phonetic.safetensors"
_BLANK = "<blank>"


def phones(audio: np.ndarray) -> np.ndarray:
    """Numbers of the phones in ``[samples]`` at 16 kHz, by the likeliest of each frame."""
    network, blank = _model()
    given = torch.from_numpy(np.pad(audio, (0, max(0, SHORTEST - len(audio)))).astype(np.float32))
    with torch.inference_mode():
        best = network.log_probabilities(given[None])[0].argmax(-1).numpy()
    return collapsed(best, blank)


def collapsed(best: np.ndarray, blank: int) -> np.ndarray:
    """What ``[frames]`` spell in connectionist temporal classification: runs as one, no blanks."""
    first = np.append(True, best[1:] != best[:-1])
    return best[first & (best != blank)]


@functools.cache
def _model() -> tuple[PhoneticNetwork, int]:
    _, card = open_phonetic(MODEL)
    return load_phonetic(MODEL), card.tokens.index(_BLANK)
