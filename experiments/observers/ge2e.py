"""Speaker embeddings by the bundled network: no package is needed."""

from __future__ import annotations

import numpy as np
import torch

from ..metric import NotMeasured, Observer, Origin
from ..registry import observer
from ..task import Arrays
from .speaker_network import load_speaker_network

GE2E = Origin("ge2e", "speaker encoder of Resemblyzer, on LibriSpeech train-other and VoxCeleb")
_SOURCE = (
    "L. Wan, Q. Wang, A. Papir, I. Lopez Moreno, Generalized end-to-end loss for speaker "
    "verification, ICASSP 2018; weights of Resemblyzer 0.1.4."
)


@observer("speaker.ge2e", licence="Apache-2.0 (Resemble.AI)", heard=GE2E, source=_SOURCE)
class Ge2e(Observer):
    """Keeps ``vector`` ``[256]`` of length 1, the mean over windows of 1.6 s, pauses included.

    It does not depend on the level.
    """

    rate = 16000

    def load(self) -> None:
        """Loads the network."""
        self._network = load_speaker_network()

    def observe(self, audio: np.ndarray) -> Arrays:
        """Embeds float32 ``[samples]``."""
        found = self._network.embed_windows(torch.from_numpy(audio)).sum(0).numpy()
        size = float(np.linalg.norm(found))
        if not size > 0:
            raise NotMeasured("the speaker encoder gives no vector")
        return {"vector": (found / size).astype(np.float32)}
