"""Parts of the decoder on which a trial finds the fastest precision of a voice."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch

from voicegraph.nodes.layers.form import Form
from voicegraph.nodes.layers.network import with_any_weights
from voicegraph.nodes.layers.precision_trial import TrialStage
from voicegraph.schemas.voice_card import VoiceConfig

from ._packed_residual import PackedBlock
from ._residual import PairedBlock, SingleBlock

_FRAMES = 10
"""At most: the cost is in proportion, and a trial should be short."""


USUAL = VoiceConfig(
    spec_channels=1025,
    segment_size=32,
    inter_channels=192,
    hidden_channels=192,
    filter_channels=768,
    n_heads=2,
    n_layers=6,
    kernel_size=3,
    p_dropout=0.0,
    resblock="1",
    resblock_kernel_sizes=(3, 7, 11),
    resblock_dilation_sizes=((1, 3, 5), (1, 3, 5), (1, 3, 5)),
    upsample_rates=(12, 10, 2, 2),
    upsample_initial_channel=512,
    upsample_kernel_sizes=(24, 20, 4, 4),
    spk_embed_dim=109,
    gin_channels=256,
    sample_rate=48000,
)
"""A voice of version 2 at 48 kHz."""


def trial_stages(config: VoiceConfig, frames: int) -> list[TrialStage]:
    """A residual block of the first and one of the last stage but one.

    The residual blocks of the decoder are nine tenths of the arithmetic of a voice.

    Args:
        config: of the voice.
        frames: that are decoded at each block.
    """
    found = []
    middle = len(config.resblock_kernel_sizes) // 2
    taps = config.resblock_kernel_sizes[middle]
    dilations = tuple(config.resblock_dilation_sizes[middle])
    tried = min(frames, _FRAMES)
    for stage in sorted({0, max(0, len(config.upsample_rates) - 2)}):
        width = config.upsample_initial_channel // 2 ** (stage + 1)
        rows = tried * math.prod(config.upsample_rates[: stage + 1])
        shape = (config.resblock, width, taps, dilations, rows)
        count = frames / tried * len(config.resblock_kernel_sizes)
        found.append(TrialStage(("block", *shape), functools.partial(_block, *shape), count))
    return found


def _block(
    kind: str, width: int, taps: int, dilations: tuple[int, ...], rows: int, form: Form
) -> Callable[[], object]:
    block = PairedBlock if kind == "1" else SingleBlock
    plain = with_any_weights(lambda: block(width, taps, dilations))
    layer = PackedBlock(plain, form.products)
    x = torch.ones(1, rows, width, dtype=form.products)
    return lambda: layer(x, x)
