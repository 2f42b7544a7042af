"""What is said, by the package hama. It is not independent: the shipped encoder learned from it."""

from __future__ import annotations

import numpy as np
import torch

from voicegraph.nodes.content.phonetic_network import SHORTEST

from ..common import hama


def phones(audio: np.ndarray) -> np.ndarray:
    """Numbers of the phones in ``[samples]`` at 16 kHz, by the likeliest of each frame."""
    given = torch.from_numpy(np.pad(audio, (0, max(0, SHORTEST - len(audio)))).astype(np.float32))
    with torch.inference_mode():
        best = hama.network().log_probabilities(given[None])[0].argmax(-1).numpy()
    return collapsed(best, len(hama.tokens()) - 1)


def collapsed(best: np.ndarray, blank: int) -> np.ndarray:
    """What ``[frames]`` spell in connectionist temporal classification: runs as one, no blanks."""
    first = np.append(True, best[1:] != best[:-1])
    return best[first & (best != blank)]
