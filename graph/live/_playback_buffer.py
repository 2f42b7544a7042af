"""The playback ring buffer: every frame has an absolute position, and so a time.

The engine writes blocks at absolute positions. The output callback reads at its own position,
whether anything was written there or not. Frames that are written after their time are never
played. So a late block (overrun) causes a gap exactly as long as it was late, once, and the delay
stays.
"""

from __future__ import annotations

from threading import get_native_id
from typing import Literal

import numpy as np

from ._declick import DeclickRamps
from ._device_clock import CallbackTimes

LatePolicy = Literal["fade", "silence", "dry"]


_NOTHING, _DRY, _WRITTEN = range(3)
"""Sources of played frames."""


class PlaybackRingBuffer:
    """The ring buffer between the engine and the output callback.

    Args:
        channels: of the output device.
        rate: of the output device in Hz.
        capacity: frames that the buffer holds.
        policy: what is played if nothing was written in time (underrun): ``fade`` fades out to
            silence and in again, ``silence`` stops and starts at once, ``dry`` plays what was
            written by :meth:`write_dry`, with the fades of ``fade``.

    Attributes:
        head: position after the newest written frame.
        demand: frames that the device has requested since the beginning.
        largest: most frames of one callback.
        underruns: how often frames were missing after written ones (dropouts).
        missing_frames: number of frames that were missing.
        lost: how often the device reported that the callback was late (underrun).
        thread: native id of the callback's thread; None before its first call.
    """

    def __init__(self, channels: int, rate: int, capacity: int, policy: LatePolicy) -> None:
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
        self._ring = np.zeros((capacity, channels), np.float32)
        self._dry = np.zeros((capacity if policy == "dry" else 1, channels), np.float32)
        self._dry_head = 0
        declick = DeclickRamps(rate)
        self._ramp = declick.count
        self._rise, self._fall = declick.rise[:, None], declick.fall[:, None]
        self._done = self._ramp  # frames of the ramp between two sources that were played
        self._from = np.zeros(channels, np.float32)
        self._decay = np.zeros((self._ramp, channels), np.float32)
        self._last = np.zeros(channels, np.float32)
        self._declick = declick
        self._written = np.zeros(channels, np.float32)
        self._after_gap = False
        self._source = _NOTHING  # of the newest played frame
        self._begun = False

    # ---- called by the callback: no lock, no allocation that grows ----------------------------

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
            self._fill_missing(into[there:], at + there)
        self.demand = at + count
        self.largest = max(self.largest, count)
        if starved:
            self.lost += 1
        self.callback_times.add(when, self.demand)

    def _fill_missing(self, into: np.ndarray, at: int) -> None:
        """Fills frames from position ``at`` on that were not written."""
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
        """Fades from the previous source to ``part``, if the source changed."""
        if source != self._source:
            self._source = source
            self._begun = True
            self._done = self._ramp if self.policy == "silence" else 0
            self._from[:] = self._last
        done = self._done
        over = min(self._ramp - done, len(part))
        if over:
            part[:over] *= self._rise[done : done + over]
            decay = self._decay[:over]  # preallocated: the callback must not allocate
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

    # ---- called by the engine -----------------------------------------------------------------

    def seek(self, position: int) -> None:
        """Sets the position of the next block; frames written from there on are discarded."""
        self.head = position
        self._after_gap = True

    def write(self, frames: np.ndarray) -> int:
        """Writes the next block ``[C, N]``; returns by how many frames it is late, or 0."""
        if self._after_gap and self.policy != "silence":
            frames = frames.copy()
            self._declick.join(self._written, frames)
        self._after_gap = False
        late = self.demand - self.head
        self._append(frames)
        return max(late, 0)

    def write_gap(self, count: int) -> None:
        """Writes ``count`` frames of silence or, with the policy ``dry``, of the dry signal."""
        frames = np.zeros((self._ring.shape[1], count), np.float32)
        there = min(max(self._dry_head - self.head, 0), count) if self.policy == "dry" else 0
        self._read(self._dry, self.head, frames.T[:there])
        if not self._after_gap and self.policy != "silence":
            self._declick.join(self._written, frames, cut=True)
        self._append(frames)
        self._after_gap = True

    def jump(self, frames: np.ndarray, count: int) -> np.ndarray:
        """Shortens the delay by ``count`` frames: drops the beginning of ``frames`` ``[C, N]``.

        A negative ``count`` lengthens it by a gap. Returns the frames that remain to be written.
        """
        if count < 0:
            self.write_gap(-count)
            return frames
        self._after_gap = True
        self.head -= max(0, count - frames.shape[1])
        return frames[:, min(count, frames.shape[1]) :]

    def write_dry(self, position: int, frames: np.ndarray) -> None:
        """Writes dry frames ``[C, N]``, which are played if no others are written in time."""
        self._write(self._dry, position, frames)
        self._dry_head = position + frames.shape[1]

    def _append(self, frames: np.ndarray) -> None:
        if frames.shape[1]:
            self._write(self._ring, self.head, frames)
            self._written[:] = frames[:, -1]
            self.head += frames.shape[1]

    def _write(self, ring: np.ndarray, at: int, frames: np.ndarray) -> None:
        size = len(ring)
        if frames.shape[1] > size:  # keep the newest frames
            at += frames.shape[1] - size
            frames = frames[:, -size:]
        count = frames.shape[1]
        start = at % size
        first = min(count, size - start)
        ring[start : start + first] = frames[:, :first].T
        ring[: count - first] = frames[:, first:].T
