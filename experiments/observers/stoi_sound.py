"""The sound itself at 10 kHz, for STOI: it compares two sounds, and an observer hears one."""

from __future__ import annotations

import numpy as np

from ..metric import Need, Observer
from ..registry import observer
from ..task import Arrays

PYSTOI = Need("pystoi", "pystoi")
RATE = 10000
"""Of STOI. soxr resamples; the package would do it with a filter of its own."""


@observer(
    "sound.stoi",
    needs=(PYSTOI,),
    licence="MIT",
    source=(
        "C. H. Taal, R. C. Hendriks, R. Heusdens, J. Jensen, An algorithm for intelligibility "
        "prediction of time-frequency weighted noisy speech, IEEE TASLP 19(7), 2011; J. Jensen, "
        "C. H. Taal, An algorithm for predicting the intelligibility of speech masked by modulated "
        "noise maskers, IEEE/ACM TASLP 24(11), 2016."
    ),
)
class StoiSound(Observer):
    """Keeps ``sound``, float32 ``[samples]`` at 10 kHz."""

    rate = RATE

    def observe(self, audio: np.ndarray) -> Arrays:
        """Keeps float32 ``[samples]``."""
        return {"sound": audio}
