"""What the shapes of a voice's tensors show: sizes of its networks, pitch, width, vocoder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
"""Shapes by name in the state dict, weight norms folded."""

CONTENT = "enc_p.emb_phone.weight"
"""The first layer, which no other kind of model has: ``[hidden, width of the content]``."""
PITCH = ("enc_p.emb_pitch.weight", "dec.m_source.l_linear.weight", "dec.noise_convs.0.weight")
"""Tensors that voices with pitch have, and others have not."""
SPEAKERS = "emb_g.weight"
FOLDED = "decoder_biases"
"""In place of the speakers' embedding where it is folded into biases, as in exported networks:
``[speakers, channels of the decoder]``."""
_MOST_STAGES = 8

_OTHER_VOCODERS: Mapping[str, tuple[str, ...]] = {
    "MRF HiFi-GAN": ("dec.mrfs.", "dec.upsamples."),
    "RefineGAN": ("dec.upsample_conv_blocks.", "dec.downsample_blocks.", "dec.mel_conv."),
    "BigVGAN": ("dec.activation_post.", "dec.resblocks.0.activations."),
    "Vocos": ("dec.backbone.", "dec.head."),
}
"""Beginnings of names in decoders other than HiFi-GAN."""


def shown_vocoder(shapes: Shapes) -> str | None:
    """The vocoder that the decoder's tensors are those of; None if they are of no other."""
    for vocoder, beginnings in _OTHER_VOCODERS.items():
        if any(name.startswith(beginnings) for name in shapes):
            return vocoder
    return None


def config_of_shapes(shapes: Shapes) -> dict[str, Any]:
    """The entries of a voice's config that its tensors show."""
    found: dict[str, Any] = {}

    def take(entry: str, name: str, axis: int) -> None:
        shape = shapes.get(name, ())
        if len(shape) > axis:
            found[entry] = shape[axis]

    take("inter_channels", "dec.conv_pre.weight", 1)
    take("hidden_channels", CONTENT, 0)
    take("filter_channels", "enc_p.encoder.ffn_layers.0.conv_1.weight", 0)
    take("kernel_size", "enc_p.encoder.ffn_layers.0.conv_1.weight", 2)
    take("upsample_initial_channel", "dec.conv_pre.weight", 0)
    take("spk_embed_dim", SPEAKERS, 0)
    take("gin_channels", SPEAKERS, 1)
    take("_head_width", "enc_p.encoder.attn_layers.0.emb_rel_k", 2)
    width, hidden = found.pop("_head_width", 0), found.get("hidden_channels", 0)
    if width and hidden and hidden % width == 0:
        found["n_heads"] = hidden // width
    if layers := _count(shapes, "enc_p.encoder.attn_layers."):
        found["n_layers"] = layers
    return found | _decoder(shapes)


def source_strides(shapes: Shapes) -> list[int] | None:
    """Samples for each frame behind every stage of the decoder; None without a source.

    The convolution that brings the source to a stage's rate has twice the stride as its kernel,
    less one if the stride is odd.
    """
    count = _count(shapes, "dec.noise_convs.")
    kernels = [shapes.get(f"dec.noise_convs.{i}.weight", ()) for i in range(count)]
    if not 0 < count <= _MOST_STAGES or any(len(s) != 3 or not s[2] for s in kernels):
        return None
    return [(shape[2] + 1) // 2 for shape in kernels]


def _decoder(shapes: Shapes) -> dict[str, Any]:
    """Entries of HiFi-GAN's decoder."""
    stages, blocks = _count(shapes, "dec.ups."), _count(shapes, "dec.resblocks.")
    ups = [shapes.get(f"dec.ups.{i}.weight", ()) for i in range(stages)]
    if not 0 < stages <= _MOST_STAGES or any(len(shape) != 3 for shape in ups):
        return {}
    found: dict[str, Any] = {"upsample_kernel_sizes": tuple(shape[2] for shape in ups)}
    if not blocks or blocks % stages:
        return found
    paired = "dec.resblocks.0.convs1.0.weight" in shapes
    convs = "convs1" if paired else "convs"
    of_stage = range(blocks // stages)
    kernels = [shapes.get(f"dec.resblocks.{i}.{convs}.0.weight", ()) for i in of_stage]
    if all(len(shape) == 3 for shape in kernels):
        found["resblock"] = "1" if paired else "2"
        found["resblock_kernel_sizes"] = tuple(shape[2] for shape in kernels)
    return found


def _count(shapes: Shapes, beginning: str) -> int:
    """How many modules of a list there are, numbered from 0 without gaps."""
    pattern = re.compile(re.escape(beginning) + r"([0-9]{1,4})\.")
    numbers = {int(match[1]) for name in shapes if (match := pattern.match(name))}
    return len(numbers) if numbers == set(range(len(numbers))) else 0
