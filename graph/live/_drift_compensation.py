"""Drift compensation: keeps the delay from input to output constant.

A block that is complete at time ``t`` belongs ``reserve`` frames after the output position that the
device has requested at ``t``. Two devices have two clocks, so the position that the engine writes
to drifts from the position where the block belongs. A proportional-integral controller turns this
error into a stretch of a few parts per million. The delay jumps only if audio was lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ._capture_buffer import CaptureRingBuffer
from ._device_clock import DeviceClock
from ._playback_buffer import PlaybackRingBuffer

_SETTLING = 2.0
"""Seconds until the clocks are known well enough to start."""
_ENGAGES = 0.0005
"""Seconds of error from which on it is corrected; below, audio passes unchanged, bit for bit."""
_BANDWIDTH = 0.02
"""Of the controller in Hz: slow enough to be inaudible, fast enough for clocks that warm up."""
_MAX_STRETCH = 1e-3
_MAX_SLEW = 2e-5
"""Largest change of the stretch from block to block."""
_LOST_AUDIO = 0.004
"""Seconds of error that are lost audio and not drift, if they last."""
_PATIENCE = 3
"""Successive blocks with such an error after which the delay jumps."""
_ONE_CALLBACK = 0.001
"""Seconds between input and output that belong to one callback."""
_MAX_JITTER = 0.1
"""Most seconds of jitter that are held in reserve."""


@dataclass(slots=True)
class DriftCorrection:
    """The correction of the next block.

    Attributes:
        stretch: relative change of its length, as in ``DriftResampler``.
        jump: frames to drop; a negative number lengthens the delay by a gap.
    """

    stretch: float = 0.0
    jump: int = 0


class DriftCompensation:
    """The clocks of both devices, and the position and correction of blocks.

    Args:
        capture: the input ring buffer.
        playback: the output ring buffer.
        rates: nominal rates of input and output in Hz.
        reserve: output frames between the requested position when a block is complete and the
            position of that block: one block, and a margin for late wake-ups. The measured jitter
            of callbacks is added once, at the start.
        one_clock: both directions are one stream; its callbacks count the frames.

    Attributes:
        error: actual delay minus target delay in seconds.
        stretch: the present stretch.
        realigned: number of jumps so far.
        largest_jump_s: the largest of them in seconds, without its sign.
        jitter: measured jitter of callbacks in seconds.
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
        self.largest_jump_s = 0.0
        self._capture, self._playback = capture, playback
        self._rate_in, self._rate_out = rates
        self._input, self._output = DeviceClock(rates[0]), DeviceClock(rates[1])
        self._engaged = False
        self._sum = 0.0
        self._blocks_off = 0
        self._offset: float | None = None

    # ---- the clocks ---------------------------------------------------------------------------

    def update_clocks(self) -> None:
        """Updates both clocks from the callbacks since the previous call."""
        self._input.update(self._capture.callback_times)
        self._output.update(self._playback.callback_times)
        if self.one_clock:
            self._pair()

    @property
    def settled(self) -> bool:
        """Whether both devices have run long enough to know their clocks."""
        if self.one_clock and self._offset is None:
            return False
        return self._input.ready and min(self._input.seconds, self._output.seconds) >= _SETTLING

    @property
    def drift(self) -> float | None:
        """Relative speed of the input clock to the output clock, minus 1; None until known."""
        if self.one_clock:
            return 0.0
        if min(self._input.seconds, self._output.seconds) < 5 * _SETTLING:
            return None
        return (self._input.rate / self._rate_in) / (self._output.rate / self._rate_out) - 1

    def next_block_time(self, block: int) -> float | None:
        """Time at which the next block of so many frames is complete; None until known."""
        return self._input.time_of(self._capture.tail + block) if self._input.ready else None

    def first_position(self, end: int) -> int:
        """Output position of the first block, which ends with captured frame ``end``.

        The measured jitter of callbacks is added to the reserve.
        """
        self.jitter = min(self._input.late + self._output.early, _MAX_JITTER)
        self.reserve += round(self.jitter * self._rate_out)
        return self.position_of(end)

    def position_of(self, end: int) -> int:
        """Output position of the block that ends with captured frame ``end``."""
        return round(self._ideal(end))

    def restart(self) -> None:
        """Starts again after the devices were away; their measured rates are kept."""
        self._input.restart()
        self._output.restart()
        self._offset, self._blocks_off, self.error = None, 0, 0.0

    def resync(self) -> None:
        """Sets both clocks to their newest callbacks, after frames were lost."""
        self._input.resync()
        self._output.resync()
        self._blocks_off = 0

    def count_realignment(self, seconds: float) -> None:
        """Counts a jump of the delay by so many seconds."""
        self.realigned += 1
        self.largest_jump_s = max(self.largest_jump_s, abs(seconds))

    # ---- correction ---------------------------------------------------------------------------

    def correct(self, end: int, block_s: float) -> DriftCorrection:
        """The correction of the block that ends with captured frame ``end``."""
        self.error = (self._playback.head - self._ideal(end)) / self._rate_out
        self._blocks_off = (
            self._blocks_off + 1 if abs(self.error) > (0 if self.one_clock else _LOST_AUDIO) else 0
        )
        if self._blocks_off >= _PATIENCE:
            return self._jump()
        if self.one_clock:
            return DriftCorrection()
        self._engaged |= abs(self.error) > _ENGAGES
        if self._engaged:
            self._update_stretch(block_s)
        return DriftCorrection(self.stretch)

    def _jump(self) -> DriftCorrection:
        frames = round(self.error * self._rate_out)
        self.count_realignment(self.error)
        self._blocks_off, self.error = 0, 0.0
        return DriftCorrection(self.stretch, frames)

    def _update_stretch(self, block_s: float) -> None:
        omega = 2 * math.pi * _BANDWIDTH
        self._sum = _within(self._sum + omega * omega * self.error * block_s, _MAX_STRETCH)
        wanted = _within(-(2 * omega * self.error + self._sum), _MAX_STRETCH)
        self.stretch += _within(wanted - self.stretch, _MAX_SLEW)

    def _ideal(self, end: int) -> float:
        ratio = self._rate_out / self._rate_in
        if not self.one_clock:
            return self._output.frames_at(self._input.time_of(end)) + self.reserve
        assert self._offset is not None
        return end * ratio + self._offset + self.reserve

    def _pair(self) -> None:
        """Measures how far the output is ahead of the input, within one callback of both."""
        (when, frames), (also, demand) = self._input.newest, self._output.newest
        if abs(when - also) < _ONE_CALLBACK:
            self._offset = demand - frames * self._rate_out / self._rate_in


def _within(value: float, most: float) -> float:
    return min(max(value, -most), most)
