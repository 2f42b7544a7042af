"""The step contours: F0 and level of the speech, every 10 ms."""

from __future__ import annotations

import numpy as np

from voicegraph.experiments.observers.contours import level_contour as whole_level_contour
from voicegraph.experiments.observers.contours import swift_contour
from voicegraph.nodes.dsp.loudness import FLOOR_DB

from ..common.atomic_files import write_arrays
from .augmentation import load_for_encoder
from .workdir import Workdir


def jobs(workdir: Workdir) -> list[tuple]:
    """Arguments of :func:`measure` for all files that are missing."""
    return [
        (workdir, number)
        for number in workdir.utterances()
        if not workdir.contours(number).exists()
    ]


def measure(workdir: Workdir, number: int) -> None:
    """Writes ``f0`` in Hz, 0 where unvoiced, and ``level`` in dB of an utterance, ``[frames]``."""
    audio = load_for_encoder(workdir, number)
    f0, level = swift_contour(audio), level_contour(audio)
    write_arrays(workdir.contours(number), f0=f0.astype(np.float32), level=level.astype(np.float32))


def level_contour(audio: np.ndarray) -> np.ndarray:
    """Level as ``dsp.loudness`` measures it; its floor is ``FLOOR_DB``.

    Args:
        audio: ``[samples]`` at 16 kHz.

    Returns:
        dB of full scale ``[samples // 160 + 1]``.
    """
    return np.maximum(whole_level_contour(audio), FLOOR_DB)
