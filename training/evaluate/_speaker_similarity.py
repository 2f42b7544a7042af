"""Speaker similarity by the speaker embeddings of Resemblyzer."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

from ..common.third_party_packages import METRIC_PACKAGES, import_package


def speaker_embedding(audio: np.ndarray) -> np.ndarray:
    """Embedding ``[256]`` of length 1 of ``[samples]`` at 16 kHz; NaN without any speech."""
    speech = import_package("resemblyzer", METRIC_PACKAGES).preprocess_wav(
        audio.astype(np.float32), ENCODER_RATE
    )
    if not len(speech):
        return np.full(256, np.nan, np.float32)
    return _encoder().embed_utterance(speech)


@functools.cache
def _encoder() -> Any:
    return import_package("resemblyzer", METRIC_PACKAGES).VoiceEncoder("cpu", verbose=False)
