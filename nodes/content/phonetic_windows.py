"""Content by a phonetic encoder as a stream gets it, of audio that is all there.

A synthesizer that will hear features of sliding windows is best trained on such.
"""

from __future__ import annotations

from fractions import Fraction

import torch
from torch.nn import functional

from voicegraph.nodes.content.encoder import RATE
from voicegraph.nodes.content.phonetic_network import SHORTEST, STEP, PhoneticNetwork

FRAMES_HZ = RATE // STEP
_AT_ONCE = 16
"""Windows computed in one go."""


def whole(network: PhoneticNetwork, audio: torch.Tensor, layer: int) -> torch.Tensor:
    """Features with all the audio as context.

    Args:
        network: on the audio's device.
        audio: float32 ``[samples]`` at 16 kHz, at least 201 samples.
        layer: after which block, from 1.

    Returns:
        float32 ``[samples // 320 + 1, hidden]``; frame ``k`` is centred at sample ``320 k``.
    """
    with torch.inference_mode():
        return network(audio[None], layer)[0].clone()


def sliding(
    network: PhoneticNetwork,
    audio: torch.Tensor,
    layer: int,
    block: Fraction,
    context: Fraction,
    lookahead: Fraction,
    first: int = 0,
) -> torch.Tensor:
    """Features as ``content.phonetic`` makes them, block by block, of silence and then the audio.

    Args:
        network: on the audio's device.
        audio: float32 ``[samples]`` at 16 kHz.
        layer: after which block, from 1.
        block: whole frames of 20 ms that are taken of each window, in seconds.
        context: before them, in seconds; rounded up to whole frames.
        lookahead: after them, in seconds.
        first: frames, fewer than a block, at which the first whole block begins: drawn at random,
            it varies which frames are near the end of their window.

    Returns:
        float32 ``[samples // 320 + 1, hidden]``, with the frames of :func:`whole`.

    Raises:
        ValueError: if a block holds no whole number of frames, or ``first`` none of one.
    """
    step = block * FRAMES_HZ
    if step.denominator > 1 or step < 1:
        raise ValueError(f"a block of {float(block)} s holds no whole number of 20 ms frames")
    count, before = int(step), frames_of(context)
    if not 0 <= first < count:
        raise ValueError(f"the first block begins at frame {first}, not among 0 to {count - 1}")
    total = len(audio) // STEP + 1
    skipped = (count - first) % count
    windows = -(-(skipped + total) // count)
    size = (before + count) * STEP + int(lookahead * RATE)
    padded = functional.pad(
        audio, ((before + skipped) * STEP, max(0, windows * count * STEP + size - len(audio)))
    )
    cut = padded.unfold(0, max(size, SHORTEST), count * STEP)[:windows]
    with torch.inference_mode():
        made = [network(part, layer, before, count) for part in cut.split(_AT_ONCE)]
        return torch.cat(made).flatten(0, 1)[skipped:][:total].clone()


def frames_of(context: Fraction) -> int:
    """Whole frames of 20 ms that cover a context in seconds."""
    return -(-context.numerator * FRAMES_HZ // context.denominator)
