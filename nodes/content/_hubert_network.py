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
from collections.abc import Iterator
from types import MappingProxyType

import torch
from torch import nn
from torch.nn import functional

from voicegraph.nodes.content.hubert_sizes import EPSILON, STRIDES, HubertSizes
from voicegraph.nodes.layers.convolution import Convolution
from voicegraph.nodes.layers.form import (
    PACKED_BFLOAT16,
    PACKED_FLOAT32,
    PACKED_INT8,
    PORTABLE_FLOAT16,
    PORTABLE_FLOAT32,
)
from voicegraph.nodes.layers.grouped_convolution import GroupedConvolution
from voicegraph.nodes.layers.linear import Linear
from voicegraph.nodes.layers.network import Network
from voicegraph.nodes.layers.packed import PackedLinear, pointwise
from voicegraph.nodes.layers.packers import BFLOAT16_PACKERS, FLOAT32_PACKERS, INT8_PACKERS

PIECE = 256
"""Frames computed by the convolutions in one call: 5 s."""


class NormedConvolution(nn.Module):
    """The first convolution, its normalisation over time, and GELU; always float32.

    Mean and variance of a channel over time follow from those of the samples under its kernel: for
    ``y = w . u`` they are ``w . mean(u)`` and ``w C w``, with the covariance ``C`` of ``u``. So
    kernel and input are normalised in float64, and the long output is computed in one pass.
    """

    def __init__(self, channels: int, taps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, 1, taps))
        self.norm = nn.GroupNorm(channels, channels, EPSILON)

    def normalise(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The samples under the kernel at each frame, and the kernels that normalise each stream.

        ``[streams, samples]`` -> ``[streams, frames, taps]``, ``[streams, channels, taps]``.
        """
        rows = audio.unfold(1, self.weight.shape[2], STRIDES[0]).double()
        rows = rows - rows.mean(1, keepdim=True)
        return rows.float(), self.kernels(rows.transpose(1, 2) @ rows / rows.shape[1])

    def kernels(self, covariance: torch.Tensor) -> torch.Tensor:
        """The kernels that normalise streams with these covariances of the samples under them.

        ``[streams, taps, taps]`` float64 -> ``[streams, channels, taps]`` float32.
        """
        kernel = self.weight[:, 0].double()
        variance = ((kernel @ covariance) * kernel).sum(2).clamp_(min=0)
        scale = self.norm.weight.double() / (variance + EPSILON).sqrt()
        return (kernel * scale[:, :, None]).float()

    def forward(self, rows: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
        """The results of :meth:`normalise` for some frames -> ``[streams, frames, channels]``."""
        return functional.gelu(torch.baddbmm(self.norm.bias, rows, kernels.transpose(1, 2)))


class PackedNormedConvolution(NormedConvolution):
    """Replaces a :class:`NormedConvolution`. The kernels are of a window, so none is packed."""

    def __init__(self, plain: NormedConvolution) -> None:
        nn.Module.__init__(self)
        self.weight, self.norm = plain.weight, plain.norm

    def forward(self, rows: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
        """As the plain one."""
        made = [
            pointwise(stream, kernel, self.norm.bias, "gelu")
            for stream, kernel in zip(rows, kernels, strict=True)
        ]
        return torch.stack(made) if len(made) > 1 else made[0][None]


class FrameConvolution(nn.Module):
    """A convolution over frames without bias, and GELU, as a product on overlapping rows."""

    def __init__(self, inputs: int, outputs: int, taps: int, stride: int) -> None:
        super().__init__()
        self.taps, self.stride = taps, stride
        self.product: nn.Module = Linear(taps * inputs, outputs, bias=False, gelu=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[streams, frames, channels]`` -> the same, fewer frames; ``x`` is contiguous."""
        streams, frames, channels = x.shape
        count = (frames - self.taps) // self.stride + 1
        rows = x.as_strided(
            (streams, count, self.taps * channels),
            (frames * channels, self.stride * channels, 1),
        )
        return self.product(rows.reshape(streams * count, -1)).view(streams, count, -1)


def packed_frames(plain: FrameConvolution) -> nn.Module:
    """The counterpart in float32: a product on rows with AVX-512, else a convolution.

    oneDNN copies the overlapping rows, which a convolution avoids. But with AVX-512 its products
    are faster by more than that: on a Zen 4, a convolution took 1.15 times as long as the product
    with AVX-512, and 0.85 with AVX2.
    """
    assert isinstance(plain.product, Linear)
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        return DirectFrameConvolution(plain)
    plain.product = PackedLinear.of(plain.product)
    return plain


class DirectFrameConvolution(nn.Module):
    """Replaces a :class:`FrameConvolution`; only where ``can_pack`` is true."""

    def __init__(self, plain: FrameConvolution) -> None:
        super().__init__()
        weight = (
            plain.product.get_parameter("weight").unflatten(1, (plain.taps, -1)).transpose(1, 2)
        )
        self.product = Convolution(weight.contiguous(), None, after="gelu", stride=plain.stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the plain one."""
        return self.product(x)


class PortableFrameConvolution(nn.Module):
    """Replaces a :class:`FrameConvolution` by an ordinary one, for exported networks."""

    def __init__(self, plain: FrameConvolution) -> None:
        super().__init__()
        rows = plain.product.get_parameter("weight").unflatten(1, (plain.taps, -1))
        self.weight = nn.Parameter(rows.transpose(1, 2).contiguous(), requires_grad=False)
        self.stride = plain.stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the plain one."""
        y = functional.conv1d(x.transpose(1, 2), self.weight, stride=self.stride)
        return functional.gelu(y.transpose(1, 2))


class TransformerLayer(nn.Module):
    """A transformer layer with post-normalisation.

    ``inputs`` gives queries, keys and values: the first third of its rows are those of all heads'
    queries, and so on.
    """

    def __init__(self, sizes: HubertSizes) -> None:
        super().__init__()
        hidden, self.heads = sizes.hidden, sizes.heads
        self.inputs = Linear(hidden, 3 * hidden)
        self.output = Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, EPSILON)
        self.up = Linear(hidden, sizes.inner, gelu=True)
        self.down = Linear(sizes.inner, hidden)
        self.norm = nn.LayerNorm(hidden, EPSILON)

    def forward(self, x: torch.Tensor, streams: int) -> torch.Tensor:
        """``[streams * frames, channels]`` -> the same shape."""
        x = self.attention_norm(x + self.output(self._attend(x, streams)))
        return self.norm(x + self.down(self.up(x)))

    def _attend(self, x: torch.Tensor, streams: int) -> torch.Tensor:
        rows, channels = x.shape
        parts = self.inputs(x).view(streams, rows // streams, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(query, key, value)
        return y.transpose(1, 2).reshape(rows, channels)


class HubertNetwork(Network):
    """Audio at 16 kHz -> features every 20 ms.

    Its tensors are named as in :func:`_hubert_weights.arranged`.

    Args:
        sizes: of the network in the file.
        layer: the transformer layer whose output are the features, from 1; later ones are not
            built.
        project: whether to apply the final projection.
    """

    packings = MappingProxyType(
        {
            PACKED_FLOAT32: {
                **FLOAT32_PACKERS,
                NormedConvolution: PackedNormedConvolution,
                FrameConvolution: packed_frames,
            },
            PACKED_BFLOAT16: {**BFLOAT16_PACKERS, NormedConvolution: PackedNormedConvolution},
            PACKED_INT8: {**INT8_PACKERS, NormedConvolution: PackedNormedConvolution},
            PORTABLE_FLOAT32: {FrameConvolution: PortableFrameConvolution},
            PORTABLE_FLOAT16: {FrameConvolution: PortableFrameConvolution},
        }
    )

    def __init__(self, sizes: HubertSizes, layer: int, project: bool) -> None:
        super().__init__()
        self.sizes = sizes
        self.dtype = torch.float32
        widths, hidden = sizes.channels, sizes.hidden
        self.first = NormedConvolution(widths[0], sizes.kernels[0])
        self.convs = nn.ModuleList(
            FrameConvolution(widths[i - 1], widths[i], sizes.kernels[i], STRIDES[i])
            for i in range(1, len(STRIDES))
        )
        self.features_norm = nn.LayerNorm(widths[-1], EPSILON)
        self.projection = Linear(widths[-1], hidden)
        self.position = GroupedConvolution(hidden, sizes.groups, sizes.taps)
        self.norm = nn.LayerNorm(hidden, EPSILON)
        self.layers = nn.ModuleList(TransformerLayer(sizes) for _ in range(layer))
        self.head = None
        if project:
            assert sizes.projection is not None
            self.head = Linear(hidden, sizes.projection)

    def place(self, device: torch.device, dtype: torch.dtype) -> None:
        """The first convolution stays float32, since its input has the level of the audio."""
        for child in self.children():
            child.to(device, torch.float32 if child is self.first else dtype)
        self.dtype = dtype

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """float32 ``[streams, samples]`` -> float32 ``[streams, frames, width]``.

        There are ``(samples - field) // 320 + 1`` frames, where ``field`` is 400 samples.
        """
        *_, x = self.after_layers(audio)
        if self.head is not None:
            x = self.head(x.flatten(0, 1)).view(*x.shape[:2], -1)
        return x.float()

    def after_layers(self, audio: torch.Tensor) -> Iterator[torch.Tensor]:
        """What each layer gives in turn, before the projection.

        float32 ``[streams, samples]`` -> ``[streams, frames, hidden]`` in the layers' dtype.
        """
        x = self._convolve(audio)
        streams, frames, _ = x.shape
        x = self.projected(x.flatten(0, 1))
        x = self.norm(x.add_(self.position(x.view(streams, frames, -1)).flatten(0, 1)))
        for layer in self.layers:
            x = layer(x, streams)
            yield x.view(streams, frames, -1)

    def projected(self, x: torch.Tensor) -> torch.Tensor:
        """What the convolutions give, in the width and dtype of the layers' residuals.

        ``[rows, channels]`` -> ``[rows, hidden]``.
        """
        return self.projection(self.features_norm(x.to(self.dtype))).to(self.dtype)

    @property
    def pair_dtype(self) -> torch.dtype:
        """Of keys and values: what the products give in this form."""
        inputs = self.layers[0].inputs
        return inputs.dtype if isinstance(inputs, PackedLinear) else self.dtype

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
