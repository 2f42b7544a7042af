"""Parts of the encoder on which a trial finds its fastest precision."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch

from voicegraph.nodes.content._hubert_network import (
    FrameConvolution,
    HubertNetwork,
    TransformerLayer,
)
from voicegraph.nodes.content.hubert_sizes import STRIDES, HubertSizes
from voicegraph.nodes.layers.form import Form
from voicegraph.nodes.layers.network import trial_part
from voicegraph.nodes.layers.precision_trial import TrialStage

_FRAMES = 24
"""Of the convolutions, at most: their cost is in proportion, and a trial should be short."""


BASE = HubertSizes(
    channels=(512,) * 7,
    kernels=(10, 3, 3, 3, 3, 2, 2),
    hidden=768,
    inner=3072,
    layers=12,
    heads=12,
    taps=128,
    groups=16,
    projection=256,
)
"""HuBERT base."""


def trial_stages(sizes: HubertSizes, layers: int, new: int, live: int) -> list[TrialStage]:
    """A transformer layer, and the second convolution, which is half of all that follow the first.

    Args:
        sizes: of the network.
        layers: that are computed.
        new: frames that pass the convolutions at each block.
        live: frames that pass the layers at each block.
    """
    tried = min(new, _FRAMES)
    # Output frames of each convolution for each frame of the encoder; the first is always float32.
    work = [2**i for i in reversed(range(len(STRIDES) - 1))]
    share = new / tried * sum(work) / work[0]
    rows = tried * work[0]
    shape = (sizes.channels[0], sizes.channels[1], sizes.kernels[1])
    layer = ("layer", sizes.hidden, sizes.inner, sizes.heads, live)
    return [
        TrialStage(layer, functools.partial(_layer, sizes, live), layers),
        TrialStage(
            ("convolution", *shape, rows), functools.partial(_convolution, shape, rows), share
        ),
    ]


def _layer(sizes: HubertSizes, live: int, form: Form) -> Callable[[], object]:
    layer = trial_part(HubertNetwork, lambda: TransformerLayer(sizes), form)
    x = torch.ones(live, sizes.hidden)
    return lambda: layer(x, 1)


def _convolution(shape: tuple[int, int, int], rows: int, form: Form) -> Callable[[], object]:
    inputs, outputs, taps = shape
    make = functools.partial(FrameConvolution, inputs, outputs, taps, STRIDES[1])
    layer = trial_part(HubertNetwork, make, form)
    x = torch.ones(1, (rows - 1) * STRIDES[1] + taps, inputs, dtype=form.products)
    return lambda: layer(x)
