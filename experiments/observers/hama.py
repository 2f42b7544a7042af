"""Phones that hama hears: strong, and not independent of encoders that learned from it."""

from __future__ import annotations

import numpy as np
import torch

from voicegraph.graph.metrics import ctc
from voicegraph.nodes.content.phonetic_network import SHORTEST

from ..metric import Need, Observer, Origin
from ..packages import package_folder
from ..registry import observer
from ..task import Arrays
from .hama_network import WEIGHTS, load_network, tokens


@observer(
    "phones.hama",
    needs=(Need("hama", "hama", "==1.7.0", alone=True, weights=(WEIGHTS,)),),
    licence="Apache-2.0 by its metadata, MIT by its repository",
    heard=Origin("hama", "the teacher of the bundled phonetic encoders"),
    source="S. Park, hama 1.7.0, https://github.com/hamanlp/hama.",
)
class Hama(Observer):
    """Keeps ``phones``, int64 ``[phones]``: numbers of the most probable ones, merged as by CTC."""

    rate = 16000
    hears_silence = True

    def load(self) -> None:
        """Loads the network; no code of the package runs."""
        folder = package_folder("hama")
        self._network, self._blank = load_network(folder), len(tokens(folder)) - 1

    def observe(self, audio: np.ndarray) -> Arrays:
        """Recognizes float32 ``[samples]``."""
        given = torch.from_numpy(np.pad(audio, (0, max(0, SHORTEST - len(audio)))))
        with torch.inference_mode():
            best = self._network.log_probabilities(given[None])[0].argmax(-1).numpy()
        return {"phones": ctc.collapse(best, self._blank)}
