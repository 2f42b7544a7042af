"""Phone recognition by hama. It is not independent: the bundled encoder was distilled from it."""

from __future__ import annotations

import numpy as np
import torch

from voicegraph.graph.metrics import ctc
from voicegraph.nodes.content.phonetic_network import SHORTEST

from ..common import hama


def phones(audio: np.ndarray) -> np.ndarray:
    """Numbers of the most probable phones, ``[phones]``, of ``[samples]`` at 16 kHz."""
    given = torch.from_numpy(np.pad(audio, (0, max(0, SHORTEST - len(audio)))).astype(np.float32))
    with torch.inference_mode():
        best = hama.network().log_probabilities(given[None])[0].argmax(-1).numpy()
    return ctc.collapse(best, len(hama.tokens()) - 1)
