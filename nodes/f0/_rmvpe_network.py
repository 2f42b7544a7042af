"""The network of RMVPE: a deep U-Net over mel spectra, then a recurrent layer.

H. Wei, X. Cao, T. Dan, Y. Chen, "RMVPE: a robust model for vocal pitch estimation in polyphonic
music", Interspeech 2023. Modules are named as the tensors in published files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from voicegraph.nodes.f0._rmvpe_unet import DeepUnet
from voicegraph.nodes.layers.network import Network

MARKER = "unet.encoder.bn.weight"
"""A tensor that every RMVPE file has."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of a network.

    Attributes:
        blocks: residual blocks in each layer.
        layers: layers of the encoder, each of which halves frames and mels, and of the decoder.
        inner: layers of the bottleneck.
        channels: channels of the first layer; each further one has twice as many.
        cnn_channels: channels of the convolution in front of the recurrent layer.
        hidden: width of the recurrent layer in each direction.
        depth: recurrent layers.
        mels: mel bands.
        bins: bins of pitch.
    """

    blocks: int = 4
    layers: int = 5
    inner: int = 4
    channels: int = 16
    cnn_channels: int = 3
    hidden: int = 256
    depth: int = 1
    mels: int = 128
    bins: int = 360

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> Sizes:
        """Sizes from the shapes of a state dict.

        Raises:
            KeyError: if a tensor is missing that determines a size.
        """
        cnn_channels = shapes["cnn.weight"][0]
        return cls(
            blocks=_count(shapes, "unet.encoder.layers.0.conv."),
            layers=_count(shapes, "unet.encoder.layers."),
            inner=_count(shapes, "unet.intermediate.layers."),
            channels=shapes["unet.encoder.layers.0.conv.0.conv.0.weight"][0],
            cnn_channels=cnn_channels,
            hidden=shapes["fc.0.gru.weight_hh_l0"][1],
            depth=sum(name.startswith("fc.0.gru.weight_hh_l") for name in shapes) // 2,
            mels=shapes["fc.0.gru.weight_ih_l0"][1] // cnn_channels,
            bins=shapes["fc.1.weight"][0],
        )


def _count(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> int:
    return len(
        {name[len(prefix) :].partition(".")[0] for name in shapes if name.startswith(prefix)}
    )


class Recurrent(nn.Module):
    """A bidirectional GRU."""

    def __init__(self, inputs: int, hidden: int, depth: int) -> None:
        super().__init__()
        self.gru = nn.GRU(inputs, hidden, depth, batch_first=True, bidirectional=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, frames, inputs]`` -> ``[batch, frames, 2 hidden]``."""
        return self.gru(x)[0]


class RmvpeNetwork(Network):
    """Salience of each bin of pitch: mel ``[batch, mels, frames]`` -> ``[batch, frames, bins]``."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.unet = DeepUnet(sizes.channels, sizes.layers, sizes.inner, sizes.blocks)
        self.cnn = nn.Conv2d(sizes.channels, sizes.cnn_channels, 3, padding=1)
        self.fc = nn.Sequential(
            Recurrent(sizes.cnn_channels * sizes.mels, sizes.hidden, sizes.depth),
            nn.Linear(2 * sizes.hidden, sizes.bins),
            nn.Sigmoid(),
        )

    def place(self, device: torch.device, dtype: torch.dtype) -> None:
        """The convolutions take half the time if the channels are adjacent in memory."""
        self.to(device, dtype).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """Any number of frames: zero-padded to a multiple of ``2 ** layers``, then cropped."""
        frames = mel.shape[-1]
        step = 2**self.sizes.layers
        mel = nn.functional.pad(mel, (0, -frames % step))
        x = self.cnn(self.unet(mel.transpose(1, 2)[:, None])).transpose(1, 2).flatten(2)
        return self.fc(x.to(self.fc[1].weight.dtype))[:, :frames]  # pyright: ignore[reportArgumentType]


def fold_norms(network: nn.Module) -> None:
    """Folds each batch normalisation into the convolution before it, in place, in float64.

    Only valid in evaluation mode.
    """
    for module in list(network.modules()):
        if not isinstance(module, nn.Sequential):
            continue
        for i, (conv, norm) in enumerate(pairwise(module)):
            convolves = isinstance(conv, nn.Conv2d | nn.ConvTranspose2d)
            if convolves and isinstance(norm, nn.BatchNorm2d):
                dtype = conv.weight.dtype
                upwards = isinstance(conv, nn.ConvTranspose2d)
                module[i] = fuse_conv_bn_eval(conv.double(), norm.double(), upwards).to(dtype)
                module[i + 1] = nn.Identity()
