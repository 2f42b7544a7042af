"""The capture ring buffer: written by the input callback, read by the engine.

It is lock-free: neither thread waits for the other. Each thread alone changes its own counter, and
both counters only grow.
"""

from __future__ import annotations

import numpy as np

from ._device_clock import CallbackTimes


class CaptureRingBuffer:
    """The ring buffer between the input callback and the engine.

    The callback always writes. If the engine does not read for longer than the buffer lasts, the
    oldest frames are overwritten (overrun), so input never queues without bound.

    Args:
        channels: of the input device.
        block: frames of a block at the input device.
        capacity: least frames that the buffer holds.

    Attributes:
        head: frames written since the beginning.
        tail: frames read or skipped since the beginning.
        lost: how often the device reported lost input (overrun).
        largest: most frames of one callback.
    """

    def __init__(self, channels: int, block: int, capacity: int) -> None:
        self.block = block
        self.head = 0
        self.tail = 0
        self.lost = 0
        self.largest = 0
        self.callback_times = CallbackTimes()
        self._ring = np.zeros((max(capacity, 2 * block), channels), np.float32)

    def callback(self, frames: np.ndarray, when: float, lost: bool) -> None:
        """Writes ``frames`` ``[N, C]``; runs in the sound system's thread."""
        ring, head, count = self._ring, self.head, len(frames)
        size = len(ring)
        if count > size:
            frames, head, count = frames[count - size :], head + count - size, size
        start = head % size
        first = min(count, size - start)
        ring[start : start + first] = frames[:first]
        ring[: count - first] = frames[first:]
        self.head = head + count
        self.largest = max(self.largest, count)
        if lost:
            self.lost += 1
        self.callback_times.add(when, self.head)

    @property
    def waiting(self) -> int:
        """Number of complete blocks to read."""
        return (self.head - self.tail) // self.block

    def discard_overrun(self) -> int:
        """Skips the blocks that were overwritten; returns their number.

        One block more than the buffer holds is given up, because the callback goes on writing.
        """
        room = len(self._ring) - self.block
        gone = -(-max(0, self.head - self.tail - room) // self.block)
        self.tail += gone * self.block
        return gone

    def take(self, into: np.ndarray) -> None:
        """Reads the oldest block into ``[C, N]``."""
        ring, size = self._ring, len(self._ring)
        start = self.tail % size
        first = min(self.block, size - start)
        into[:, :first] = ring[start : start + first].T
        into[:, first:] = ring[: self.block - first].T
        self.tail += self.block

    def skip(self) -> None:
        """Skips the oldest block."""
        self.tail += self.block

    def restart(self) -> None:
        """Discards all input, because the device was away."""
        self.tail = self.head
        self.callback_times.clear()
