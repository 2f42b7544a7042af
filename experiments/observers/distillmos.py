"""DistillMOS: a small network that learned to rate speech from a large one on XLS-R."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from ..metric import Need, Observer, Origin
from ..packages import package_folder
from ..registry import observer
from ..task import Arrays
from ._distillmos_network import SAMPLES, DistillMos

_WEIGHTS = "weights/distill_mos_v7.pt"
_STEP = 16000
"""Samples between pieces, at most."""


@observer(
    "mos.distillmos",
    # The package imports torchaudio for its command; only its file of weights is read.
    needs=(Need("distillmos", "distillmos", "==0.9.1", alone=True, weights=(_WEIGHTS,)),),
    licence="MIT (Microsoft)",
    heard=Origin("xls-r", "a network on XLS-R, itself trained on ratings of listeners"),
    source=(
        "B. Stahl, H. Gamper, Distillation and pruning for scalable self-supervised "
        "representation-based speech quality assessment, ICASSP 2025."
    ),
)
class DistilledMos(Observer):
    """Keeps ``score``, 1..5."""

    rate = 16000

    def load(self) -> None:
        """Loads the network."""
        held = torch.load(
            package_folder("distillmos") / _WEIGHTS, map_location="cpu", weights_only=True
        )
        self._network = DistillMos().eval().requires_grad_(False)
        self._network.load_state_dict(held["model"])

    @torch.inference_mode()
    def observe(self, audio: np.ndarray) -> Arrays:
        """Scores float32 ``[samples]``: the mean of pieces of 7.68 s; silence fills a short one."""
        whole = torch.from_numpy(audio)
        whole = functional.pad(whole, (0, max(0, SAMPLES - len(whole))))
        beyond = len(whole) - SAMPLES
        count = -(-beyond // _STEP) + 1
        starts = [int(share * beyond) for share in np.linspace(0, 1, count)]
        # One at a time: a batch would need memory in proportion to the length of the sound.
        scores = [float(self._network(whole[None, at : at + SAMPLES])) for at in starts]
        return {"score": np.array(np.mean(scores))}
