"""Whose voice it is, by the speaker embeddings of Resemblyzer."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from voicegraph.training.voice.augmentation import LISTENING

from ..common.third_party_packages import TO_LISTEN, package


def embedding(audio: np.ndarray) -> np.ndarray:
    """A unit vector ``[256]`` of ``[samples]`` at 16 kHz."""
    heard = package("resemblyzer", TO_LISTEN).preprocess_wav(audio.astype(np.float32), LISTENING)
    if not len(heard):  # no voice in it, so nobody's
        return np.full(256, np.nan, np.float32)
    return _encoder().embed_utterance(heard)


@functools.cache
def _encoder() -> Any:
    return package("resemblyzer", TO_LISTEN).VoiceEncoder("cpu", verbose=False)
