"""The encoder of Whisper: a spectrogram to features at 50 Hz, after any of its layers.

A transformer with learned biases, pre-normalization and fixed sinusoidal positions; the keys have
no bias. Source: A. Radford et al., "Robust speech recognition via large-scale weak supervision",
ICML 2023.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

HEAD = 64
"""Width of an attention head, in all sizes of the network."""


class WhisperLayer(nn.Module):
    """Self-attention, then a feed-forward network, each with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.inputs = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[pieces, frames, width]`` -> the same."""
        pieces, frames, width = x.shape
        parts = self.inputs(self.attention_norm(x)).view(pieces, frames, 3, -1, HEAD)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.output(y.transpose(1, 2).reshape(pieces, frames, width))
        return x + self.down(functional.gelu(self.up(self.norm(x))))


class WhisperNetwork(nn.Module):
    """Whisper's encoder.

    Args:
        mels: bands of the spectrogram.
        width: of the features.
        layers: how many.
        longest: feature frames for which there are positions.
    """

    positions: torch.Tensor

    def __init__(self, mels: int, width: int, layers: int, longest: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(mels, width, 3, 1, 1)
        self.second = nn.Conv1d(width, width, 3, 2, 1)
        self.register_buffer("positions", torch.zeros(longest, width))
        self.layers = nn.ModuleList(WhisperLayer(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, spectrogram: torch.Tensor, layer: int | None = None) -> torch.Tensor:
        """Features of a spectrogram.

        Args:
            spectrogram: float32 ``[pieces, mels, 2 * frames]``, as ``log_mel`` makes it.
            layer: after which layer, from 1; None for the normalized output of the last one.

        Returns:
            ``[pieces, frames, width]``; frame ``k`` is centred at sample ``320 k``.
        """
        x = functional.gelu(self.second(functional.gelu(self.first(spectrogram)))).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        for one in self.layers[:layer]:
            x = one(x)
        return self.norm(x) if layer is None else x


_NAMES = {
    "self_attention/layer_norm/gamma": "attention_norm.weight",
    "self_attention/layer_norm/beta": "attention_norm.bias",
    "self_attention/linear_0/weight": "inputs.weight",
    "self_attention/linear_0/bias": "inputs.bias",
    "self_attention/linear_1/weight": "output.weight",
    "self_attention/linear_1/bias": "output.bias",
    "ffn/layer_norm/gamma": "norm.weight",
    "ffn/layer_norm/beta": "norm.bias",
    "ffn/linear_0/weight": "up.weight",
    "ffn/linear_0/bias": "up.bias",
    "ffn/linear_1/weight": "down.weight",
    "ffn/linear_1/bias": "down.bias",
}
"""Names inside a layer: CTranslate2's, and those of :class:`WhisperLayer`."""
_OUTSIDE = {
    "conv1/weight": "first.weight",
    "conv1/bias": "first.bias",
    "conv2/weight": "second.weight",
    "conv2/bias": "second.bias",
    "position_encodings/encodings": "positions",
    "layer_norm/gamma": "norm.weight",
    "layer_norm/beta": "norm.bias",
}


def build(variables: Mapping[str, np.ndarray]) -> WhisperNetwork:
    """The network in float32, of variables of a CTranslate2 model below ``encoder/``.

    Raises:
        KeyError: if a variable has an unknown name.
        RuntimeError: if one is missing, or of another shape.
    """
    tensors = {}
    for name, values in variables.items():
        if name == "num_heads":
            continue
        layer, _, rest = name.partition("/")
        if layer.startswith("layer_") and layer != "layer_norm":
            own = f"layers.{layer.removeprefix('layer_')}.{_NAMES[rest]}"
        else:
            own = _OUTSIDE[name]
        tensors[own] = torch.from_numpy(values.astype(np.float32))
    width, mels, _ = tensors["first.weight"].shape
    layers = sum(name.endswith("up.weight") for name in tensors)
    network = WhisperNetwork(mels, width, layers, len(tensors["positions"])).eval()
    network.load_state_dict(tensors)
    return network.requires_grad_(False)
