"""The 20 ms frames of phonetic features: how many cover a time, and those of a whole utterance."""

from __future__ import annotations

from fractions import Fraction

import torch

from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_network import STEP, PhoneticNetwork

FRAMES_HZ = RATE // STEP
"""Feature frames a second."""


def full_context_features(
    network: PhoneticNetwork, audio: torch.Tensor, layer: int
) -> torch.Tensor:
    """Features of an utterance, with all of its audio as context.

    Args:
        network: on the audio's device.
        audio: float32 ``[samples]`` at 16 kHz, at least 201 samples.
        layer: after which block, from 1.

    Returns:
        float32 ``[samples // 320 + 1, hidden]``; frame ``k`` is centred at sample ``320 k``.

    Raises:
        ValueError: if the audio is too short, or the network has no such block.
    """
    with torch.inference_mode():
        return network(audio[None], layer)[0].clone()


def frames_covering(seconds: Fraction) -> int:
    """The number of 20 ms frames that cover a time, rounded up."""
    return -(-seconds.numerator * FRAMES_HZ // seconds.denominator)
