"""Edges: deliver the values of a port to its readers, whole, sliced, with history, or copied.

An edge is called with the session's value table and the newest values of its port, and puts into
the table what each reader takes. All views are created once, when the session starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from ..signals import SignalType

Values = list[torch.Tensor]


@dataclass(frozen=True, slots=True)
class Slice:
    """The part for one reader: ``count`` samples or frames from ``start``, into slot ``slot``."""

    slot: int
    start: int
    count: int


class Edge(Protocol):
    """Delivers what a port made at this tick to readers."""

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Puts the part of each reader into the table."""


class DirectEdge:
    """For readers that take exactly what the port made."""

    def __init__(self, slices: Sequence[Slice]) -> None:
        self.slots = [part.slot for part in slices]

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Puts the tensor into the slots."""
        for slot in self.slots:
            values[slot] = made


class SlicedEdge:
    """For readers that take a part of a window."""

    def __init__(self, slices: Sequence[Slice], axis: int) -> None:
        self.slices = [(part.slot, part.start, part.count) for part in slices]
        self.axis = axis

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Puts views into the slots."""
        for slot, start, count in self.slices:
            values[slot] = made.narrow(self.axis, start, count)


class HistoryEdge:
    """For readers that look back: keeps the newest ``length`` values of a stream.

    Double buffering: the kept values and the new block are concatenated into the other buffer. This
    costs one copy per tick, source and destination never overlap, and all views exist in advance.
    """

    def __init__(
        self,
        kind: SignalType,
        streams: int,
        length: int,
        slices: Sequence[Slice],
        device: torch.device,
    ) -> None:
        self.axis = kind.time_axis
        shape = kind.shape(streams, length)
        self.buffers = [torch.zeros(shape, device=device) for _ in range(2)]
        self.current = 0
        self.slices = [
            [(part.slot, buffer.narrow(self.axis, part.start, part.count)) for part in slices]
            for buffer in self.buffers
        ]

    @property
    def buffer(self) -> torch.Tensor:
        """The newest values, oldest first along the time axis."""
        return self.buffers[self.current]

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Appends the new block and puts views into the slots."""
        old = self.buffers[self.current]
        self.current = 1 - self.current
        count = made.shape[self.axis]
        length = old.shape[self.axis]
        if count < length:
            kept = old.narrow(self.axis, count, length - count)
            torch.cat((kept, made), self.axis, out=self.buffers[self.current])
        else:
            self.buffers[self.current].copy_(made.narrow(self.axis, count - length, length))
        self.show(values)

    def show(self, values: Values) -> None:
        """Puts the readers' views of the current buffer into the table."""
        for slot, view in self.slices[self.current]:
            values[slot] = view


class DeviceCopyEdge:
    """For readers on another device."""

    def __init__(self, edge: Edge, device: torch.device) -> None:
        self.edge = edge
        self.device = device

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Copies the values to the device, then delivers them."""
        # Copies to the CPU must block: torch does not order its own work after them. Those from the
        # CPU, too: nodes reuse their memory at the next tick, and not every backend stages it.
        between = made.device.type != "cpu" and self.device.type != "cpu"
        self.edge(values, made.to(self.device, non_blocking=between))
