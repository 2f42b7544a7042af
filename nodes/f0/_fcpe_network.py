"""The network of FCPE: convolutions over mel spectra.

The Conformer of A. Gulati et al., Interspeech 2020, with its convolution modules alone. Modules are
named as the tensors in the file that torchfcpe brings.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from voicegraph.graph.files.models import Archive, load_state
from voicegraph.nodes.layers.network import Network

_KERNEL = 31
_MELS = 128
_FOLDED = ("output_proj.weight_g", "output_proj.weight_v")


class Transpose(nn.Module):
    """Swaps the last two axes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, frames, width]`` to ``[batch, width, frames]`` or back."""
        return x.transpose(1, 2)


class Depthwise(nn.Module):
    """One filter over time for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, _KERNEL, padding=_KERNEL // 2, groups=width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, width, frames]``, same size."""
        return self.conv(x)


class Convolution(nn.Module):
    """A Conformer's convolution module."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(width),
            Transpose(),
            nn.Conv1d(width, 4 * width, 1),
            nn.GLU(dim=1),
            Depthwise(2 * width),
            nn.SiLU(),
            nn.Conv1d(2 * width, width, 1),
            Transpose(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, frames, width]``, same size."""
        return self.net(x)


class Layer(nn.Module):
    """A convolution module with a residual connection."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conformer = Convolution(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, frames, width]``, same size."""
        return x + self.conformer(x)


class Layers(nn.Module):
    """The layers in sequence."""

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.encoder_layers = nn.ModuleList(Layer(width) for _ in range(count))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``[batch, frames, width]``, same size."""
        for layer in self.encoder_layers:
            x = layer(x)
        return x


class FcpeNetwork(Network):
    """Salience of each bin: mel ``[batch, mels, frames]`` -> ``[batch, frames, bins]``.

    Attributes:
        cents: centres of the bins in cents above 10 Hz, float64 ``[bins]`` whatever the precision.
    """

    def __init__(self, width: int, count: int, cents: torch.Tensor) -> None:
        super().__init__()
        self.cents = cents
        bins = len(cents)
        self.input_stack = nn.Sequential(
            nn.Conv1d(_MELS, width, 3, padding=1),
            nn.GroupNorm(4, width),
            nn.LeakyReLU(),
            nn.Conv1d(width, width, 3, padding=1),
        )
        self.net = Layers(width, count)
        self.norm = nn.LayerNorm(width)
        self.output_proj = nn.Linear(width, bins)

    def place(self, device: torch.device, dtype: torch.dtype) -> None:
        """Moves the centres, too."""
        self.to(device, dtype)
        self.cents = self.cents.to(device)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """Any number of frames."""
        x = self.net(self.input_stack(mel).transpose(1, 2))
        return self.output_proj(self.norm(x)).sigmoid()


def build(archive: Archive) -> FcpeNetwork:
    """The network of a file.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    names = [name for name in archive.tensors if name.startswith("model.")]
    tensors = {name.removeprefix("model."): t for name, t in archive.read(names).items()}
    layers = {name.split(".")[2] for name in tensors if name.startswith("net.encoder_layers.")}
    cents = tensors["cent_table"].double()
    with torch.device("meta"):  # allocates nothing: the file's tensors are used
        network = FcpeNetwork(len(tensors["norm.weight"]), len(layers), cents).eval()
    load_state(network, _folded(tensors, network.state_dict()), archive.path, "an FCPE pitch model")
    return network


def _folded(
    tensors: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Folds the weight norm, and drops norms for the attention that this network lacks."""
    g, v = (tensors[name] for name in _FOLDED)
    weight = g * v / torch.linalg.vector_norm(v, dim=1, keepdim=True)
    return {"output_proj.weight": weight, **{k: v for k, v in tensors.items() if k in wanted}}
