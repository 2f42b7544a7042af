"""The step contours: F0 and level of the speech, every 10 ms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voicegraph.experiments.observers.contours import level_contour as whole_level_contour
from voicegraph.experiments.observers.contours import swift_contour
from voicegraph.experiments.task import Result, Results
from voicegraph.nodes.dsp.loudness import FLOOR_DB

from ._sound_work import SoundWork, load_for_encoder


@dataclass(frozen=True, slots=True)
class ContoursWork(SoundWork):
    """Measures an utterance."""

    def run(self, needs: Results) -> Result:
        """``f0`` in Hz, 0 where unvoiced, and ``level`` in dB, float32 ``[frames]`` each."""
        audio = load_for_encoder(self.sound.checked())
        f0, level = swift_contour(audio), level_contour(audio)
        return Result({"f0": f0.astype(np.float32), "level": level.astype(np.float32)})


def level_contour(audio: np.ndarray) -> np.ndarray:
    """Level as ``dsp.loudness`` measures it; its floor is ``FLOOR_DB``.

    Args:
        audio: ``[samples]`` at 16 kHz.

    Returns:
        dB of full scale ``[samples // 160 + 1]``.
    """
    return np.maximum(whole_level_contour(audio), FLOOR_DB)
