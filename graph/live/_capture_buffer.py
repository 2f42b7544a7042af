"""What comes from the microphone: a ring that one thread fills and another empties.

Neither waits for the other and nothing is locked: each side alone moves its own counter, and both
counters only grow. The side that fills runs in a callback of the sound system.
"""

from __future__ import annotations

import numpy as np

from ._device_clock import CallbackTimes


class CaptureRingBuffer:
    """The ring between the input callback and the engine.

    The callback always writes. Where the engine was away for longer than the ring is, the oldest
    frames are gone: input never queues without bound.

    Args:
        channels: of the input device.
        block: frames of a block at the input device.
        room: frames that the ring holds at least.

    Attributes:
        head: frames that have come since the beginning.
        tail: frames that have been taken, or left out.
        lost: times that the device lost audio on the way here.
        largest: the most frames that came at once.
    """

    def __init__(self, channels: int, block: int, room: int) -> None:
        self.block = block
        self.head = 0
        self.tail = 0
        self.lost = 0
        self.largest = 0
        self.callback_times = CallbackTimes()
        self._ring = np.zeros((max(room, 2 * block), channels), np.float32)

    def callback(self, frames: np.ndarray, when: float, lost: bool) -> None:
        """Copies ``frames`` ``[N, C]``; runs in the sound system's thread."""
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
        """Whole blocks that wait."""
        return (self.head - self.tail) // self.block

    def overrun(self) -> int:
        """Leaves out the blocks that are gone already, oldest first; how many those were.

        One block more than the ring could hold is given up, for the callback goes on writing.
        """
        room = len(self._ring) - self.block
        gone = -(-max(0, self.head - self.tail - room) // self.block)
        self.tail += gone * self.block
        return gone

    def take(self, into: np.ndarray) -> None:
        """The oldest block that waits, into ``[C, N]``."""
        self._copy(into)
        self.tail += self.block

    def peek(self, into: np.ndarray) -> None:
        """The same without taking it."""
        self._copy(into)

    def skip(self) -> None:
        """Leaves the oldest block out."""
        self.tail += self.block

    def restart(self) -> None:
        """Forgets what waits: the device was away, and its frames belong to another time."""
        self.tail = self.head
        self.callback_times.clear()

    def _copy(self, into: np.ndarray) -> None:
        ring, size = self._ring, len(self._ring)
        start = self.tail % size
        first = min(self.block, size - start)
        into[:, :first] = ring[start : start + first].T
        into[:, first:] = ring[: self.block - first].T
