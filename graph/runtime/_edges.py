"""How values get from a port to its readers: as they are, sliced, remembered, moved.

A feed is called with the session's value table and what a port made, and puts into the table what
each reader takes. All views are made once, when the session starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from ..signals import SignalType

Values = list[torch.Tensor]


@dataclass(frozen=True, slots=True)
class Cut:
    """One reader's share: ``count`` samples or frames from ``start``, into slot ``slot``."""

    slot: int
    start: int
    count: int


class Feed(Protocol):
    """Delivers what a port made at this tick."""

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Puts each reader's share into the table."""


class Direct:
    """Readers that take just what was made."""

    def __init__(self, cuts: Sequence[Cut]) -> None:
        self.slots = [cut.slot for cut in cuts]

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Hands the tensor on."""
        for slot in self.slots:
            values[slot] = made


class Sliced:
    """Readers of a window that take a part of it."""

    def __init__(self, cuts: Sequence[Cut], axis: int) -> None:
        self.cuts = [(cut.slot, cut.start, cut.count) for cut in cuts]
        self.axis = axis

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Hands views on."""
        for slot, start, count in self.cuts:
            values[slot] = made.narrow(self.axis, start, count)


class History:
    """Readers of a stream that look back: keeps the newest ``length`` values.

    Two buffers take turns: the kept part and the new block are joined into the other one. That is
    one copy a tick, without overlap, and every reader's view exists beforehand.
    """

    def __init__(
        self, kind: SignalType, streams: int, length: int, cuts: Sequence[Cut], device: torch.device
    ) -> None:
        self.axis = kind.time_axis
        shape = kind.shape(streams, length)
        self.buffers = [torch.zeros(shape, device=device) for _ in range(2)]
        self.current = 0
        self.cuts = [
            [(cut.slot, buffer.narrow(self.axis, cut.start, cut.count)) for cut in cuts]
            for buffer in self.buffers
        ]

    @property
    def buffer(self) -> torch.Tensor:
        """What is kept now."""
        return self.buffers[self.current]

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Takes the new block in and hands views on."""
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
        """Puts the readers' views into the table."""
        for slot, view in self.cuts[self.current]:
            values[slot] = view


class Moved:
    """Readers on another device."""

    def __init__(self, feed: Feed, device: torch.device) -> None:
        self.feed = feed
        self.device = device

    def __call__(self, values: Values, made: torch.Tensor) -> None:
        """Copies what was made, then delivers it there."""
        self.feed(values, made.to(self.device, non_blocking=True))
