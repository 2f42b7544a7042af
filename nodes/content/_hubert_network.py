"""The HuBERT base architecture, which ContentVec and others share.

W.-N. Hsu, B. Bolte, Y.-H. H. Tsai, K. Lakhotia, R. Salakhutdinov and A. Mohamed, "HuBERT:
self-supervised speech representation learning by masked prediction of hidden units", IEEE/ACM TASLP
29, 2021; the convolutions and the positional one are those of A. Baevski, H. Zhou, A. Mohamed and
M. Auli, "wav2vec 2.0", NeurIPS 2020. K. Qian et al., "ContentVec", ICML 2022, has the same layers.

After the first convolution the layout is ``[streams, frames, channels]``, so that each convolution
is one matrix product on overlapping rows, without transposition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.content.hubert_sizes import EPSILON, STRIDES, HubertSizes
from voicegraph.nodes.layers.packed import GroupedConvolution, Linear, can_pack, pointwise

PIECE = 256
"""Frames computed by the convolutions in one call: 5 s."""
Weights = Mapping[str, torch.Tensor]
"""Tensors by canonical name; see ``hubert_sizes``."""


class HubertNetwork(nn.Module):
    """Audio at 16 kHz -> features every 20 ms.

    Args:
        weights: tensors by canonical name, on the CPU, in any floating-point dtype. Layers that
            are missing at the end are not computed.
        sizes: of the network in the file.
        layer: the transformer layer whose output are the features, from 1.
        project: whether to apply the final projection.
        device: where to compute.
        dtype: precision; the first convolution is always float32, since its input has the level of
            the audio.
    """

    def __init__(
        self,
        weights: Weights,
        sizes: HubertSizes,
        layer: int,
        project: bool,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        kept = {
            name: tensor.to(device, torch.float32 if name.startswith("convs.0.") else dtype)
            for name, tensor in weights.items()
            if not name.startswith("position.")
        }
        position = {k: v.float() for k, v in weights.items() if k.startswith("position.")}
        self.dtype = dtype
        self.sizes = sizes
        self.first = _NormedConvolution(kept, sizes)
        self.convs = nn.ModuleList(
            _Convolution(kept[f"convs.{i}.weight"], STRIDES[i]) for i in range(1, len(STRIDES))
        )
        self.features_norm = _LayerNorm(kept, "features_norm")
        self.projection = _linear(kept, "projection")
        self.position = GroupedConvolution(
            folded_position(position).to(device, dtype), position["position.bias"].to(device, dtype)
        )
        self.norm = _LayerNorm(kept, "norm")
        self.layers = nn.ModuleList(
            TransformerLayer(kept, f"layers.{i}.", sizes.heads) for i in range(layer)
        )
        self.head = _linear(kept, "head") if project else None

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """float32 ``[streams, samples]`` -> float32 ``[streams, frames, width]``.

        There are ``(samples - field) // 320 + 1`` frames, where ``field`` is 400 samples.
        """
        x = self._convolve(audio)
        streams, frames, _ = x.shape
        x = self.projection(self.features_norm(x.flatten(0, 1)))
        x = self.norm(x.add_(self.position(x.view(streams, frames, -1)).flatten(0, 1)))
        for layer in self.layers:
            x = layer(x, streams)
        if self.head is not None:
            x = self.head(x)
        return x.view(streams, frames, -1).float()

    def _convolve(self, audio: torch.Tensor) -> torch.Tensor:
        """``[streams, samples]`` -> ``[streams, frames, channels]``.

        Long windows are processed in pieces, since the first convolutions have hundreds of times as
        many outputs as the last. The frames do not depend on the pieces.
        """
        rows, kernels = self.first.normalise(audio)
        count = self.sizes.frames(audio.shape[1])
        step = math.prod(STRIDES[1:])
        reach = (self.sizes.field - self.sizes.kernels[0]) // STRIDES[0] + 1
        made = []
        for start in range(0, count, PIECE):
            last = min(start + PIECE, count) - 1
            x = self.first(rows[:, start * step : last * step + reach], kernels).to(self.dtype)
            for conv in self.convs:
                x = conv(x)
            made.append(x)
        return torch.cat(made, 1) if len(made) > 1 else made[0]


def _linear(weights: Weights, name: str, gelu: bool = False) -> Linear:
    return Linear(weights[f"{name}.weight"], weights[f"{name}.bias"], gelu)


class _LayerNorm(nn.Module):
    """Layer normalisation over the channels."""

    def __init__(self, weights: Weights, name: str) -> None:
        super().__init__()
        self.weight, self.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.layer_norm(x, self.weight.shape, self.weight, self.bias, EPSILON)


class _NormedConvolution(nn.Module):
    """The first convolution, its normalisation over time, and GELU.

    Mean and variance of a channel over time follow from those of the samples under its kernel: for
    ``y = w . u`` they are ``w . mean(u)`` and ``w C w``, with the covariance ``C`` of ``u``. So
    kernel and input are normalised in float64, and the long output is computed in one pass.
    """

    def __init__(self, weights: Weights, sizes: HubertSizes) -> None:
        super().__init__()
        self.kernel = weights["convs.0.weight"][:, 0].double()
        self.scale = weights["convs.0.norm.weight"].double()
        self.bias = weights["convs.0.norm.bias"]
        self.packed = can_pack(self.bias.device, self.bias.dtype)

    def normalise(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The samples under the kernel at each frame, and the kernels that normalise each stream.

        ``[streams, samples]`` -> ``[streams, frames, taps]``, ``[streams, channels, taps]``.
        """
        rows = audio.unfold(1, self.kernel.shape[1], STRIDES[0]).double()
        rows = rows - rows.mean(1, keepdim=True)
        return rows.float(), self.kernels(rows.transpose(1, 2) @ rows / rows.shape[1])

    def kernels(self, covariance: torch.Tensor) -> torch.Tensor:
        """The kernels that normalise streams with these covariances of the samples under them.

        ``[streams, taps, taps]`` float64 -> ``[streams, channels, taps]`` float32.
        """
        variance = ((self.kernel @ covariance) * self.kernel).sum(2).clamp_(min=0)
        scale = self.scale / (variance + EPSILON).sqrt()
        return (self.kernel * scale[:, :, None]).float()

    def forward(self, rows: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
        """The results of :meth:`normalise` for some frames -> ``[streams, frames, channels]``."""
        if self.packed:
            made = [
                pointwise(stream, kernel, self.bias, gelu=True)
                for stream, kernel in zip(rows, kernels, strict=True)
            ]
            return torch.stack(made) if len(made) > 1 else made[0][None]
        return functional.gelu(torch.baddbmm(self.bias, rows, kernels.transpose(1, 2)))


class _Convolution(nn.Module):
    """A convolution without bias, and GELU."""

    def __init__(self, weight: torch.Tensor, stride: int) -> None:
        super().__init__()
        _, self.channels, self.taps = weight.shape
        self.stride = stride
        self.product = Linear(weight.transpose(1, 2).flatten(1).contiguous(), None, gelu=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]`` -> the same, fewer frames."""
        streams, frames, channels = x.shape
        count = (frames - self.taps) // self.stride + 1
        rows = x.as_strided(
            (streams, count, self.taps * channels),
            (frames * channels, self.stride * channels, 1),
        )
        return self.product(rows.reshape(streams * count, -1)).view(streams, count, -1)


def folded_position(weights: Weights) -> torch.Tensor:
    """The positional kernel ``[channels, channels / groups, taps]``: ``g v / |v|`` for each tap."""
    if "position.weight" in weights:
        return weights["position.weight"]
    v = weights["position.weight_v"].double()
    g = weights["position.weight_g"].double()
    return (v * (g / v.square().sum((0, 1), keepdim=True).sqrt())).float()


class TransformerLayer(nn.Module):
    """A transformer layer with post-normalisation."""

    def __init__(self, weights: Weights, prefix: str, heads: int) -> None:
        super().__init__()
        parts = [prefix + f"attention.{part}" for part in ("query", "key", "value")]
        self.heads = heads
        self.inputs = Linear(
            torch.cat([weights[f"{part}.weight"] for part in parts]),
            torch.cat([weights[f"{part}.bias"] for part in parts]),
        )
        self.output = _linear(weights, prefix + "attention.output")
        self.attention_norm = _LayerNorm(weights, prefix + "attention_norm")
        self.up = _linear(weights, prefix + "up", gelu=True)
        self.down = _linear(weights, prefix + "down")
        self.norm = _LayerNorm(weights, prefix + "norm")

    def forward(self, x: torch.Tensor, streams: int) -> torch.Tensor:
        """``[streams * frames, channels]`` -> the same shape."""
        x = self.attention_norm(self.output(self._attend(x, streams)).add_(x))
        return self.norm(self.down(self.up(x)).add_(x))

    def _attend(self, x: torch.Tensor, streams: int) -> torch.Tensor:
        rows, channels = x.shape
        parts = self.inputs(x).view(streams, rows // streams, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(query, key, value)
        return y.transpose(1, 2).reshape(rows, channels)
