"""Keeps the time from microphone to speaker what it was at the beginning.

A block that is complete at time ``t`` is due when the speaker has got what it asked for by then and
``reserve`` frames more. Two devices have two clocks: what the engine has written then runs ahead of
that place, or behind it. The distance steers a stretch of a few parts per million by a
proportional-integral controller; a jump is made only where audio was lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ._capture_buffer import CaptureRingBuffer
from ._device_clock import DeviceClock
from ._playback_buffer import PlaybackRingBuffer

_SETTLING = 2.0
"""Seconds until the clocks are known well enough to begin."""
_ENGAGES = 0.0005
"""Seconds of error from which on it is corrected; below, audio passes bit for bit."""
_BANDWIDTH = 0.02
"""Hz: slow enough that no ear follows, fast enough for clocks that warm up."""
_MOST = 1e-3
_SLEW = 2e-5
"""Stretch at most, and its change from block to block at most."""
_JUMP = 0.004
_ONE_CALLBACK = 0.001
_MOST_JITTER = 0.1
"""Seconds. A device that hands out more at once is not live."""
_PATIENCE = 3
"""Seconds of error that are lost audio and not drift, when met in so many blocks on end."""


@dataclass(slots=True)
class DriftCorrection:
    """What to do with the next block.

    Attributes:
        longer: as in Stretch.
        jump: frames to leave out, or to wait for where negative.
    """

    stretch: float = 0.0
    jump: int = 0


class DriftCompensation:
    """The two clocks, and what follows from them.

    Args:
        capture: the ring of the input.
        playback: the ring of the output.
        rates: nominal rates of input and output in Hz.
        reserve: frames of output between what is asked for when a block is complete, and where that
            block goes: a block, and what wake-ups may take. By as much as callbacks were found to
            come out of step it becomes longer when the clocks have settled.
        one_clock: both directions advance together, by the callback's own count.

    Attributes:
        error: how far the delay is from what it should be, in seconds; positive is too long.
        longer: the stretch now.
        realigned: jumps so far.
        jitter: seconds by which callbacks were found to come out of step.
    """

    def __init__(
        self,
        capture: CaptureRingBuffer,
        playback: PlaybackRingBuffer,
        rates: tuple[int, int],
        reserve: int,
        one_clock: bool,
    ) -> None:
        self.reserve = reserve
        self.one_clock = one_clock
        self.error = 0.0
        self.jitter = 0.0
        self.stretch = 0.0
        self.realigned = 0
        self._capture, self._playback = capture, playback
        self._rate_in, self._rate_out = rates
        self._input, self._output = DeviceClock(rates[0]), DeviceClock(rates[1])
        self._engaged = False
        self._sum = 0.0
        self._off = 0
        self._offset: float | None = None

    # ---- the clocks ---------------------------------------------------------------------------

    def follow(self) -> None:
        """Takes in what the callbacks have noted since."""
        self._input.follow(self._capture.callback_times)
        self._output.follow(self._playback.callback_times)
        if self.one_clock:
            self._pair()

    @property
    def settled(self) -> bool:
        """Whether both devices run, and long enough."""
        if self.one_clock and self._offset is None:
            return False
        return self._input.ready and min(self._input.seconds, self._output.seconds) >= _SETTLING

    @property
    def drift(self) -> float | None:
        """How much faster the input runs than the output; None until that is known."""
        if self.one_clock:
            return 0.0
        if min(self._input.seconds, self._output.seconds) < 5 * _SETTLING:
            return None
        return (self._input.rate / self._rate_in) / (self._output.rate / self._rate_out) - 1

    def next_block(self, block: int) -> float | None:
        """When the block that is waited for should be complete; None until anything is known."""
        return self._input.time_of(self._capture.tail + block) if self._input.ready else None

    def begin(self, end: int) -> int:
        """Where the first block belongs, whose last frame is the ``end``-th that was captured.

        What the callbacks' times were found to vary by is held in reserve from here on.
        """
        self.jitter = min(self._input.late + self._output.early, _MOST_JITTER)
        self.reserve += round(self.jitter * self._rate_out)
        return self.place(end)

    def place(self, end: int) -> int:
        """Where a block belongs whose last frame is the ``end``-th that was captured."""
        return round(self._ideal(end))

    def restart(self) -> None:
        """The devices were away: what is known of their clocks is their rates."""
        self._input.restart()
        self._output.restart()
        self._offset, self._off, self.error = None, 0, 0.0

    def anchor(self) -> None:
        """Takes the newest callbacks to have come at the right time: frames were lost before."""
        self._input.anchor()
        self._output.anchor()
        self._off = 0

    # ---- steering -----------------------------------------------------------------------------

    def steer(self, end: int, block_s: float) -> DriftCorrection:
        """What to do with the block whose last frame is the ``end``-th that was captured."""
        self.error = (self._playback.head - self._ideal(end)) / self._rate_out
        self._off = self._off + 1 if abs(self.error) > (0 if self.one_clock else _JUMP) else 0
        if self._off >= _PATIENCE:
            return self._jump()
        if self.one_clock:
            return DriftCorrection()
        self._engaged |= abs(self.error) > _ENGAGES
        if self._engaged:
            self._correct(block_s)
        return DriftCorrection(self.stretch)

    def _jump(self) -> DriftCorrection:
        frames = round(self.error * self._rate_out)
        self._off, self.error = 0, 0.0
        self.realigned += 1
        return DriftCorrection(self.stretch, frames)

    def _correct(self, block_s: float) -> None:
        omega = 2 * math.pi * _BANDWIDTH
        self._sum = _within(self._sum + omega * omega * self.error * block_s, _MOST)
        wanted = _within(-(2 * omega * self.error + self._sum), _MOST)
        self.stretch += _within(wanted - self.stretch, _SLEW)

    def _ideal(self, end: int) -> float:
        ratio = self._rate_out / self._rate_in
        if not self.one_clock:
            return self._output.frames_at(self._input.time_of(end)) + self.reserve
        assert self._offset is not None
        return end * ratio + self._offset + self.reserve

    def _pair(self) -> None:
        """How far demand is ahead of capture, read where both come from the same callback."""
        (when, frames), (also, demand) = self._input.newest, self._output.newest
        if abs(when - also) < _ONE_CALLBACK:
            self._offset = demand - frames * self._rate_out / self._rate_in


def _within(value: float, most: float) -> float:
    return min(max(value, -most), most)
