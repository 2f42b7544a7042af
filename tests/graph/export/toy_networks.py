"""Small networks, right and wrong ones, and a node that exports them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn

from voicegraph.graph.network_export import ExportedNetwork, ExportedTensor
from voicegraph.graph.node import Node, Tensors
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio

LENGTHS = (7, 5, 11, 23)
PIECE = 8

Values = Mapping[str, torch.Tensor]


class Smoothed(nn.Module):
    """``y[k] = tanh(w x[k] + v x[k + 1])``."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.tensor([[[0.5, -0.25]]]), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.conv1d(x[:, None], self.kernel.to(x.dtype))[:, 0].tanh()


class StaticInTruth(Smoothed):
    """Takes any length, and gives the traced one's frames alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x)[:, : LENGTHS[0] - 1]


class UnrolledOnce(Smoothed):
    """A loop over pieces, of which an exporter keeps what the traced length needs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) * (torch.arange(x.shape[1] - 1) < PIECE)


class Summed(nn.Module):
    """A stream: the sum of everything so far."""

    def forward(self, x: torch.Tensor, total: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = x.cumsum(1) + total[:, None]
        return y, y[:, -1]


class Late(nn.Module):
    """A stream: its input three blocks later."""

    blocks = 3

    def forward(self, x: torch.Tensor, past: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        past = torch.cat((past, x), 1)
        last = past.shape[1] - self.blocks * x.shape[1]
        return past[:, last - x.shape[1] : last], past[:, x.shape[1] :]


class LateByLess(Late):
    """Wrong in the blocks that should be silent, too."""

    blocks = 2


class Recurrent(nn.Module):
    """A bidirectional GRU of two layers over ``[1, frames, 1]``."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(1, 3, 2, batch_first=True, bidirectional=True)
        for number, weight in enumerate(self.gru.parameters()):
            weight.requires_grad_(False).copy_(noise(number, weight.numel()).view(weight.shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gru(x[:, :, None])[0].flatten(1)


def noise(number: int, samples: int) -> torch.Tensor:
    """``[1, samples]``."""
    return torch.randn(1, samples, generator=torch.Generator().manual_seed(number))


def smoothed(module: nn.Module | None = None, **more: Any) -> ExportedNetwork:
    """A network of any length; ``module`` takes the place of the right one."""
    reference = Smoothed()
    fields: dict[str, Any] = {
        "module": module or Smoothed(),
        "inputs": {"x": ExportedTensor((1, "samples"), description="audio")},
        "outputs": {"y": ExportedTensor((1, "frames"))},
        "example": lambda number: {"x": noise(number, LENGTHS[number])},
        "reference": lambda values: {"y": reference(values["x"])},
        "metadata": {"metadata": "{}"},
        "reduced": lambda dtype: Smoothed().to(dtype),
    }
    return ExportedNetwork(**{**fields, **more})


def recurrent() -> ExportedNetwork:
    """A network whose every frame depends on all others."""
    return smoothed(Recurrent(), reference=lambda values: {"y": Recurrent()(values["x"])})


def summed() -> ExportedNetwork:
    """A network with state and fixed sizes."""
    stream = {"total": torch.zeros(1)}

    def reference(values: Values) -> dict[str, torch.Tensor]:
        y, stream["total"] = Summed()(values["x"], stream["total"])
        return {"y": y}

    return ExportedNetwork(
        module=Summed(),
        inputs={"x": ExportedTensor((1, 4))},
        outputs={"y": ExportedTensor((1, 4))},
        example=lambda number: {"x": noise(number, 4)},
        reference=reference,
        state={"total": torch.zeros(1)},
    )


class Exporting(Node):
    """A node that exports what the test says."""

    make: ClassVar[Any] = staticmethod(smoothed)

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def exports(self, params: Any) -> ExportedNetwork | None:
        return type(self).make()

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        return {"out": inputs["audio"]}
