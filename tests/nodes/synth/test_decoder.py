"""The decoder, plain and packed, against a second implementation of the published networks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.layers.packed import can_pack
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._decoder import Decoder
from voicegraph.nodes.synth._packed_decoder import PackedDecoder
from voicegraph.nodes.synth._weight_norm import fold
from voicegraph.schemas.voice_card import VoiceConfig

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

CPU = torch.device("cpu")


def _config(rates: list[int], kernels: list[int], initial: int = 16) -> list[Any]:
    rate = 100 * math.prod(rates)
    return [*rvc_example.CONFIG[:12], rates, initial, kernels, 3, 6, rate]


CONFIGS = {
    "44.1k": _config([7, 7, 3, 3], [14, 14, 6, 6]),
    "22.05k": _config([5, 11, 2, 2], [10, 22, 4, 4]),
    "odd first": _config([7, 5, 4], [14, 10, 8]),
    "odd last": _config([8, 4, 5], [16, 8, 10]),
    "odd kernels": _config([5, 8, 4], [9, 16, 8]),
    "even": _config([10, 8, 2, 2], [20, 16, 4, 4]),
}


def _published(
    config: VoiceConfig,
    weights: Mapping[str, torch.Tensor],
    z: torch.Tensor,
    speaker: int,
    source: torch.Tensor | None,
) -> torch.Tensor:
    """HiFi-GAN with a source, from the sizes that trainers publish; weights are folded."""

    def layer(name: str) -> tuple[torch.Tensor, torch.Tensor | None]:
        return weights[f"dec.{name}.weight"], weights.get(f"dec.{name}.bias")

    embedding = weights["emb_g.weight"][speaker][None, :, None]
    x = functional.conv1d(z, *layer("conv_pre"), padding=3)
    x = x + functional.conv1d(embedding, *layer("cond"))
    if source is not None:
        source = torch.tanh(functional.linear(source.mT, *layer("m_source.l_linear"))).mT
    stages = zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True)
    for stage, (rate, kernel) in enumerate(stages):
        odd_of_twice = rate % 2 and kernel == 2 * rate
        padding = rate // 2 + rate % 2 if odd_of_twice else (kernel - rate) // 2
        extra = 1 if odd_of_twice else 0
        x = functional.leaky_relu(x, 0.1)
        x = functional.conv_transpose1d(x, *layer(f"ups.{stage}"), rate, padding, extra)
        if source is not None:
            stride = math.prod(config.upsample_rates[stage + 1 :])
            taps = 1 if stride == 1 else 2 * stride - stride % 2
            margin = 0 if stride == 1 else (taps - stride) // 2
            x = x + functional.conv1d(
                source, *layer(f"noise_convs.{stage}"), stride=stride, padding=margin
            )
        blocks = zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True)
        total = torch.zeros_like(x)
        for number, (size, dilations) in enumerate(blocks):
            y, own = x, stage * len(config.resblock_kernel_sizes) + number
            for i, dilation in enumerate(dilations):
                inner = functional.conv1d(
                    functional.leaky_relu(y, 0.1),
                    *layer(f"resblocks.{own}.convs1.{i}"),
                    padding=(size - 1) * dilation // 2,
                    dilation=dilation,
                )
                inner = functional.conv1d(
                    functional.leaky_relu(inner, 0.1),
                    *layer(f"resblocks.{own}.convs2.{i}"),
                    padding=size // 2,
                )
                y = y + inner
            total = total + y
        x = total / len(config.resblock_kernel_sizes)
    x = functional.conv1d(functional.leaky_relu(x, 0.01), *layer("conv_post"), padding=3)
    return torch.tanh(x)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("f0", [False, True], ids=["without pitch", "with pitch"])
@pytest.mark.parametrize("name", CONFIGS)
def test_decoder_is_the_published_network(name: str, f0: bool, packed: bool) -> None:
    if packed and not can_pack(CPU, torch.float32):
        pytest.skip("needs oneDNN's own operators on x86")
    config = VoiceConfig.from_list(CONFIGS[name])
    weights = fold(rvc_example.weights(CONFIGS[name], 768, f0))
    decoder = Decoder(config, f0)
    own = {key.removeprefix("dec."): v for key, v in weights.items() if key.startswith("dec.")}
    decoder.load_state_dict(own)
    decoder.requires_grad_(False)
    biases = decoder.fold(weights["emb_g.weight"])
    chance = torch.Generator().manual_seed(4)
    z = torch.randn(2, config.inter_channels, 6, generator=chance)
    samples = 6 * math.prod(config.upsample_rates)
    source = 0.1 * torch.randn(2, 1, samples, generator=chance) if f0 else None
    expected = _published(config, weights, z, 1, source)
    merged = decoder.m_source(source[:, 0]) if source is not None else None
    made = (PackedDecoder(decoder) if packed else decoder)(z, merged, biases[1])
    assert made.shape == (2, 1, samples)
    assert_close(made, expected, SMALL_NETWORK)
