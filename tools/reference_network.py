"""RVC's networks in RVC's order of work, in plain PyTorch: what ``reference_order.py`` measures.

Weight norms are computed at each call, as PyTorch's ``weight_norm`` does; every layer computes all
frames that RVC gives it; layouts are those of ``conv1d``; masks of ones are multiplied; attention
is PyTorch's SDPA in the encoder, as in transformers' ``HubertModel``, and by matrices of relative
positions in the text encoder, as in VITS (J. Kim et al., ICML 2021). Weights are plain tensors by
the names of the files, so nothing of voicegraph's networks is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch.nn import functional

Weights = Mapping[str, torch.Tensor]
STRIDES = (5, 2, 2, 2, 2, 2, 2)
HEADS = 12
"""Of HuBERT base."""
TEXT_HEADS, WINDOW = 2, 10
"""Heads of the text encoder, and the largest distance with a relative position of its own."""
FLOW_REACH = 24
"""Frames before the decoded ones from which the flow runs."""


class ReferenceHubert:
    """HuBERT base; tensors by canonical name, see ``nodes/content/hubert_sizes.py``."""

    def __init__(self, weights: Weights, layers: int) -> None:
        self.weights = {name: tensor.float() for name, tensor in weights.items()}
        self.layers = layers

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        """``[streams, samples]`` -> ``[streams, frames, 768]``."""
        w, x = self.weights, audio[:, None]
        for i, stride in enumerate(STRIDES):
            x = functional.conv1d(x, w[f"convs.{i}.weight"], None, stride)
            if i == 0:
                x = functional.group_norm(
                    x, x.shape[1], w["convs.0.norm.weight"], w["convs.0.norm.bias"]
                )
            x = functional.gelu(x)
        x = self._linear("projection", self._norm("features_norm", x.transpose(1, 2)))
        kernel = torch.ops.aten._weight_norm(w["position.weight_v"], w["position.weight_g"], 2)
        placed = functional.conv1d(
            x.transpose(1, 2), kernel, w["position.bias"], padding=kernel.shape[2] // 2,
            groups=x.shape[2] // kernel.shape[1],
        )  # fmt: skip
        x = self._norm("norm", x + functional.gelu(placed[:, :, :-1]).transpose(1, 2))
        for i in range(self.layers):
            x = self._layer(f"layers.{i}", x)
        return x

    def _layer(self, name: str, x: torch.Tensor) -> torch.Tensor:
        split = (*x.shape[:2], HEADS, -1)
        query, key, value = (
            self._linear(f"{name}.attention.{part}", x).view(split).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        found = functional.scaled_dot_product_attention(query, key, value)
        found = found.transpose(1, 2).reshape(x.shape)
        x = self._norm(
            f"{name}.attention_norm", x + self._linear(f"{name}.attention.output", found)
        )
        inner = functional.gelu(self._linear(f"{name}.up", x))
        return self._norm(f"{name}.norm", x + self._linear(f"{name}.down", inner))

    def _linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return functional.layer_norm(x, weight.shape, weight, bias)


class ReferenceVoice:
    """A synthesizer of RVC with a sine source; tensors by the names of voice files.

    Args:
        weights: scales and directions of norms (``weight_g``, ``weight_v``) as they are stored.
        rates: upsampling of each stage.
        layers: of the text encoder.
    """

    def __init__(self, weights: Weights, rates: tuple[int, ...], layers: int) -> None:
        self.weights = {name: tensor.float() for name, tensor in weights.items()}
        self.rates, self.layers = rates, layers
        self.kernels = 3

    def __call__(
        self,
        content: torch.Tensor,
        bins: torch.Tensor,
        wave: torch.Tensor,
        skip: int,
        count: int,
        noise: torch.Tensor,
    ) -> torch.Tensor:
        """Audio of ``count`` frames from ``skip`` on.

        Args:
            content: ``[1, frames, 768]``.
            bins: int64 ``[1, frames]``.
            wave: the sine source of the decoded frames, ``[1, samples]``.
            skip: first decoded frame.
            count: decoded frames.
            noise: of the prior, ``[1, channels, frames - head]``.

        Returns:
            ``[1, 1, samples]``.
        """
        speaker = self.weights["emb_g.weight"][:1, :, None]
        head = max(skip - FLOW_REACH, 0)
        mean, log_spread = self._text_encoder(content, bins)
        mask = torch.ones(1, 1, mean.shape[2] - head)
        mean, log_spread = mean[:, :, head:], log_spread[:, :, head:]
        z = (mean + log_spread.exp() * noise) * mask
        for i in (6, 4, 2, 0):
            z = self._coupling(f"flow.flows.{i}", z.flip(1), mask, speaker)
        z = (z * mask)[:, :, skip - head : skip - head + count]
        return self._decoder(z, wave, speaker)

    # ---- text encoder

    def _text_encoder(
        self, content: torch.Tensor, bins: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        w, mask = self.weights, torch.ones(1, 1, content.shape[1])
        x = functional.linear(content, w["enc_p.emb_phone.weight"], w["enc_p.emb_phone.bias"])
        x = (x + functional.embedding(bins, w["enc_p.emb_pitch.weight"])) * math.sqrt(x.shape[2])
        x = functional.leaky_relu(x, 0.1).transpose(1, 2) * mask
        for i in range(self.layers):
            base = "enc_p.encoder"
            x = self._norm(
                f"{base}.norm_layers_1.{i}", x + self._attend(f"{base}.attn_layers.{i}", x)
            )
            name = f"{base}.ffn_layers.{i}"
            inner = functional.relu(self._conv(f"{name}.conv_1", x * mask, padding=1))
            made = self._conv(f"{name}.conv_2", inner * mask, padding=1) * mask
            x = self._norm(f"{base}.norm_layers_2.{i}", x + made)
        mean, log_spread = (self._conv("enc_p.proj", x * mask) * mask).chunk(2, 1)
        return mean, log_spread

    def _attend(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Relative positions through padded matrices ``[frames, 2 frames - 1]``, as in VITS."""
        _, channels, frames = x.shape
        depth = channels // TEXT_HEADS
        split = (1, TEXT_HEADS, depth, frames)
        query, key, value = (
            self._conv(f"{name}.conv_{part}", x).view(split).transpose(2, 3) for part in "qkv"
        )
        query = query / math.sqrt(depth)
        rim = frames - WINDOW - 1
        keys, values = (
            functional.pad(self.weights[f"{name}.emb_rel_{part}"], (0, 0, rim, rim))[None]
            for part in "kv"
        )
        scores = query @ key.transpose(2, 3) + _absolute(query @ keys.transpose(2, 3))
        scores = scores.masked_fill(torch.ones(1, 1, frames, frames) == 0, -1e4)
        shares = scores.softmax(-1)
        found = shares @ value + _relative(shares) @ values
        return self._conv(f"{name}.conv_o", found.transpose(2, 3).reshape(1, channels, frames))

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        gamma, beta = self.weights[f"{name}.gamma"], self.weights[f"{name}.beta"]
        return functional.layer_norm(x.transpose(1, 2), gamma.shape, gamma, beta).transpose(1, 2)

    # ---- flow and decoder

    def _coupling(
        self, name: str, x: torch.Tensor, mask: torch.Tensor, speaker: torch.Tensor
    ) -> torch.Tensor:
        low, high = x.chunk(2, 1)
        inner = self._conv(f"{name}.pre", low) * mask
        condition = self._conv(f"{name}.enc.cond_layer", speaker)
        hidden, output = inner.shape[1], torch.zeros_like(inner)
        for i, added in enumerate(condition.split(2 * hidden, 1)):
            gates = self._conv(f"{name}.enc.in_layers.{i}", inner, padding=2) + added
            gated = gates[:, :hidden].tanh() * gates[:, hidden:].sigmoid()
            mixed = self._conv(f"{name}.enc.res_skip_layers.{i}", gated)
            if i < 2:
                inner = (inner + mixed[:, :hidden]) * mask
                mixed = mixed[:, hidden:]
            output = output + mixed
        shift = self._conv(f"{name}.post", output * mask) * mask
        return torch.cat((low, (high - shift) * mask), 1)

    def _decoder(self, z: torch.Tensor, wave: torch.Tensor, speaker: torch.Tensor) -> torch.Tensor:
        w = self.weights
        linear = (w["dec.m_source.l_linear.weight"], w["dec.m_source.l_linear.bias"])
        source = functional.linear(wave[:, :, None], *linear).tanh().transpose(1, 2)
        x = self._conv("dec.conv_pre", z, padding=3) + self._conv("dec.cond", speaker)
        for i, rate in enumerate(self.rates):
            kernel = self._weight(f"dec.ups.{i}")
            padding = (kernel.shape[2] - rate) // 2
            x = functional.conv_transpose1d(
                functional.leaky_relu(x, 0.1), kernel, w[f"dec.ups.{i}.bias"], rate, padding
            )
            stride = math.prod(self.rates[i + 1 :])
            x = x + self._conv(f"dec.noise_convs.{i}", source, stride // 2, stride)
            first = self.kernels * i
            total = self._block(f"dec.resblocks.{first}", x)
            for k in range(first + 1, first + self.kernels):
                total = total + self._block(f"dec.resblocks.{k}", x)
            x = total / self.kernels
        x = self._conv("dec.conv_post", functional.leaky_relu(x), padding=3)
        return x.tanh()

    def _block(self, name: str, x: torch.Tensor) -> torch.Tensor:
        for i, dilation in enumerate((1, 3, 5)):
            taps = self.weights[f"{name}.convs1.{i}.weight_v"].shape[2]
            made = functional.leaky_relu(x, 0.1)
            padding = dilation * (taps // 2)
            made = self._conv(f"{name}.convs1.{i}", made, padding, dilation=dilation)
            made = functional.leaky_relu(made, 0.1)
            x = self._conv(f"{name}.convs2.{i}", made, taps // 2) + x
        return x

    def _conv(
        self, name: str, x: torch.Tensor, padding: int = 0, stride: int = 1, dilation: int = 1
    ) -> torch.Tensor:
        bias = self.weights.get(f"{name}.bias")
        return functional.conv1d(x, self._weight(name), bias, stride, padding, dilation)

    def _weight(self, name: str) -> torch.Tensor:
        """The kernel; a weight norm is computed each time."""
        if (direction := self.weights.get(f"{name}.weight_v")) is None:
            return self.weights[f"{name}.weight"]
        return torch.ops.aten._weight_norm(direction, self.weights[f"{name}.weight_g"], 0)


def _absolute(x: torch.Tensor) -> torch.Tensor:
    """Columns by distance ``[..., frames, 2 frames - 1]`` -> by key ``[..., frames, frames]``."""
    batch, heads, frames, _ = x.shape
    flat = functional.pad(x, (0, 1)).view(batch, heads, 2 * frames * frames)
    flat = functional.pad(flat, (0, frames - 1))
    return flat.view(batch, heads, frames + 1, 2 * frames - 1)[:, :, :frames, frames - 1 :]


def _relative(x: torch.Tensor) -> torch.Tensor:
    """Columns by key -> by distance: the reverse of :func:`_absolute`."""
    batch, heads, frames, _ = x.shape
    flat = functional.pad(x, (0, frames - 1)).view(batch, heads, frames * (2 * frames - 1))
    flat = functional.pad(flat, (frames, 0))
    return flat.view(batch, heads, frames, 2 * frames)[:, :, :, 1:]
