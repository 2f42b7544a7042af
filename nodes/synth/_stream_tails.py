"""What a streaming decoder remembers: the newest inputs of every layer.

A layer without padding needs, in front of a block, the inputs that its first output depends on. All
these tails of a stream lie in one tensor, in the order in which the layers run.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Timing:
    """When the first frame of a layer's block is, on the time axis of the whole signal.

    Attributes:
        rate: frames of the layer for each frame of 10 ms.
        delay: frames by which the block lies before the frames of 10 ms that the decoder was given.
    """

    rate: int
    delay: int

    @property
    def begins(self) -> int:
        """Frames of 10 ms after which no frame of a block lies before the signal."""
        return -(-self.delay // self.rate)


class StreamTails:
    """The tails of some streams during one call.

    Args:
        held: float32 ``[streams, values]``, all tails; changed in place.
        position: int64 ``[streams]``, frames of 10 ms before this call, on the device; None if all
            blocks of all layers lie inside the signal.
    """

    def __init__(self, held: torch.Tensor, position: torch.Tensor | None) -> None:
        self.held = held
        self.position = position
        self._next = 0

    def extend(self, x: torch.Tensor, length: int, slope: float | None = None) -> torch.Tensor:
        """Puts the next tail before a block, and the end of the block into the tail.

        Args:
            x: ``[streams, frames, channels]``.
            length: frames of the tail; the same at each call.
            slope: of a leaky rectifier, which is applied to the block; None leaves it as it is.

        Returns:
            ``[streams, length + frames, channels]``, contiguous.
        """
        streams, frames, channels = x.shape
        size = length * channels
        tail = self.held[:, self._next : self._next + size].unflatten(1, (length, channels))
        self._next += size
        whole = x.new_empty(streams, length + frames, channels)
        whole[:, :length] = tail
        if slope is None:
            whole[:, length:] = x
        else:
            torch.ops.aten.leaky_relu.out(x, slope, out=whole[:, length:])
        tail.copy_(whole[:, frames:])
        return whole

    def start_at_zero(self, x: torch.Tensor, timing: Timing) -> torch.Tensor:
        """Sets frames before the signal to 0, as padding does; ``x`` is changed in place."""
        if self.position is None or timing.delay <= 0:
            return x
        times = torch.arange(x.shape[1], device=x.device) - timing.delay
        before = self.position[:, None] * timing.rate + times < 0
        return x.masked_fill_(before[:, :, None], 0)


class PortableTails(StreamTails):
    """The same without changing anything in place, for exported networks.

    Attributes:
        kept: the tails after the call, in the order in which the layers run.
    """

    def __init__(self, held: torch.Tensor, position: torch.Tensor | None) -> None:
        super().__init__(held, position)
        self.kept: list[torch.Tensor] = []

    def extend(self, x: torch.Tensor, length: int, slope: float | None = None) -> torch.Tensor:
        """As :meth:`StreamTails.extend`."""
        streams, frames, channels = x.shape
        size = length * channels
        tail = self.held[:, self._next : self._next + size].view(streams, length, channels)
        self._next += size
        x = x if slope is None else functional.leaky_relu(x, slope)
        whole = torch.cat((tail, x), 1)
        self.kept.append(whole[:, frames:].reshape(streams, size))
        return whole

    def start_at_zero(self, x: torch.Tensor, timing: Timing) -> torch.Tensor:
        """As :meth:`StreamTails.start_at_zero`; ``x`` stays as it is."""
        if self.position is None or timing.delay <= 0:
            return x
        times = torch.arange(x.shape[1]) - timing.delay
        exists = self.position[:, None] * timing.rate + times >= 0
        return x * exists[:, :, None]
