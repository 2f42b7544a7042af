"""What goes to the speaker: a ring in which every frame has its time.

The engine writes blocks at absolute positions; the output callback reads at its own, whether
anything is there or not. What is written later than it should have been heard is never heard. So a
late block costs what it is late, once, and the delay is afterwards what it was before.
"""

from __future__ import annotations

from threading import get_native_id
from typing import Literal

import numpy as np

from ._declick import DeclickRamps
from ._device_clock import CallbackTimes

LatePolicy = Literal["fade", "silence", "dry"]


_NOTHING, _DRY, _WRITTEN = range(3)
"""Where what is heard comes from."""


class PlaybackRingBuffer:
    """The ring between the engine and the output callback.

    Args:
        channels: of the output device.
        rate: of the output device in Hz.
        room: frames that the ring holds.
        policy: what is heard where nothing is there: ``fade`` lets the last value decay and what
            comes next rise, ``silence`` stops and begins at once, ``dry`` plays what was written
            with :meth:`write_dry`, joined as by ``fade``.

    Attributes:
        head: position behind the newest frame that was written.
        demand: frames the device has asked for since the beginning.
        largest: the most it asked for at once.
        gaps: times that it asked for what was not there, in the middle of something.
        missing: frames it did not get.
        lost: times that the device had to wait for the callback itself.
        thread: native number of the callback's thread; None before its first call.
    """

    def __init__(self, channels: int, rate: int, room: int, policy: LatePolicy) -> None:
        self.policy: LatePolicy = policy
        self.channels = channels
        self.head = 0
        self.demand = 0
        self.largest = 0
        self.underruns = 0
        self.missing_frames = 0
        self.lost = 0
        self.thread: int | None = None
        self.callback_times = CallbackTimes()
        self._ring = np.zeros((room, channels), np.float32)
        self._dry = np.zeros((room if policy == "dry" else 1, channels), np.float32)
        self._dry_head = 0
        bridge = DeclickRamps(rate)
        self._ramp = bridge.count
        self._rise, self._fall = bridge.rise[:, None], bridge.fall[:, None]
        self._done = self._ramp  # how far the ramp from the one to the other has come
        self._from = np.zeros(channels, np.float32)
        self._decay = np.zeros((self._ramp, channels), np.float32)
        self._last = np.zeros(channels, np.float32)
        self._bridge = bridge
        self._written = np.zeros(channels, np.float32)
        self._after_gap = False
        self._source = _NOTHING  # of the newest frame
        self._begun = False

    # ---- the callback's side: no lock, nothing that grows -------------------------------------

    def callback(self, into: np.ndarray, when: float, starved: bool) -> None:
        """Fills ``into`` ``[N, C]``; runs in the sound system's thread."""
        if self.thread is None:
            self.thread = get_native_id()
        at, count, head = self.demand, len(into), self.head
        there = min(max(head - at, 0), count) if head - at <= len(self._ring) else 0
        if there:
            self._read(self._ring, at, into[:there])
            self._join(into[:there], _WRITTEN)
        if there < count:
            self._fill(into[there:], at + there)
        self.demand = at + count
        self.largest = max(self.largest, count)
        if starved:
            self.lost += 1
        self.callback_times.add(when, self.demand)

    def _fill(self, into: np.ndarray, at: int) -> None:
        """What is heard where nothing was written, from position ``at`` on."""
        if self._begun:
            self.underruns += self._source == _WRITTEN
            self.missing_frames += len(into)
        dry = min(max(self._dry_head - at, 0), len(into)) if self.policy == "dry" else 0
        if dry:
            self._read(self._dry, at, into[:dry])
            self._join(into[:dry], _DRY)
        if dry < len(into):
            into[dry:] = 0
            self._join(into[dry:], _NOTHING)

    def _join(self, part: np.ndarray, source: int) -> None:
        """Leads from what was heard last into ``part``, where that comes from elsewhere."""
        if source != self._source:
            self._source = source
            self._begun = True
            self._done = self._ramp if self.policy == "silence" else 0
            self._from[:] = self._last
        done = self._done
        over = min(self._ramp - done, len(part))
        if over:
            part[:over] *= self._rise[done : done + over]
            decay = self._decay[:over]  # kept for this, so that nothing is allocated here
            np.multiply(self._fall[done : done + over], self._from, out=decay)
            part[:over] += decay
            self._done = done + over
        self._last[:] = part[-1]

    def _read(self, ring: np.ndarray, at: int, into: np.ndarray) -> None:
        count, size = len(into), len(ring)
        start = at % size
        first = min(count, size - start)
        into[:first] = ring[start : start + first]
        into[first:] = ring[: count - first]

    # ---- the engine's side --------------------------------------------------------------------

    def place(self, position: int) -> None:
        """Says where the next block begins; what was written from there on is forgotten."""
        self.head = position
        self._after_gap = True

    def write(self, frames: np.ndarray) -> int:
        """The next block ``[C, N]``; by how many frames it comes too late, 0 if it does not."""
        if self._after_gap and self.policy != "silence":
            frames = frames.copy()
            self._bridge.join(self._written, frames)
        self._after_gap = False
        late = self.demand - self.head
        self._append(frames)
        return max(late, 0)

    def gap(self, count: int) -> None:
        """The next ``count`` frames have nothing in them but, by policy, the dry signal."""
        frames = np.zeros((self._ring.shape[1], count), np.float32)
        there = min(max(self._dry_head - self.head, 0), count) if self.policy == "dry" else 0
        self._read(self._dry, self.head, frames.T[:there])
        if not self._after_gap and self.policy != "silence":
            self._bridge.join(self._written, frames, cut=True)
        self._append(frames)
        self._after_gap = True

    def jump(self, frames: np.ndarray, count: int) -> np.ndarray:
        """Comes ``count`` frames nearer by leaving out the beginning of ``frames``.

        Where it is negative, waits as long. What is left of ``frames`` is to be written.
        """
        if count < 0:
            self.gap(-count)
            return frames
        self._after_gap = True
        self.head -= max(0, count - frames.shape[1])
        return frames[:, min(count, frames.shape[1]) :]

    def write_dry(self, position: int, frames: np.ndarray) -> None:
        """What is heard from ``position`` on where nothing else is there: ``[C, N]``."""
        self._write(self._dry, position, frames)
        self._dry_head = position + frames.shape[1]

    def _append(self, frames: np.ndarray) -> None:
        if frames.shape[1]:
            self._write(self._ring, self.head, frames)
            self._written[:] = frames[:, -1]
            self.head += frames.shape[1]

    def _write(self, ring: np.ndarray, at: int, frames: np.ndarray) -> None:
        size = len(ring)
        if frames.shape[1] > size:  # of more than the ring holds, the newest
            at += frames.shape[1] - size
            frames = frames[:, -size:]
        count = frames.shape[1]
        start = at % size
        first = min(count, size - start)
        ring[start : start + first] = frames[:, :first].T
        ring[: count - first] = frames[:, first:].T
