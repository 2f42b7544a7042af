"""A delay from the microphone to the loudspeaker that somebody has asked for.

What the pipeline, the buffers and the devices leave of it is added to the reserve of the output,
once the clocks and the jitter of both devices are known, and again after a device was away. Since
the latency of a session's pipeline never changes, nothing else changes the delay.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..errors import Problem, StateError

_ROUNDED_MS = 5
"""The least delay is given as a multiple of so many milliseconds, with one more against jitter."""


class ConstantDelay:
    """Says by how much the reserve has to grow.

    Args:
        delay_s: the delay that was asked for.
        expected_ms: sum of all latencies with the present reserve.
        rate: of the output device.
        say: adds a message, with its kind.

    Attributes:
        held_s: the delay that is kept; None until the session has started.
    """

    def __init__(
        self,
        delay_s: float,
        expected_ms: Callable[[], float],
        rate: int,
        say: Callable[..., None],
    ) -> None:
        self.held_s: float | None = None
        self._delay_s, self._expected_ms, self._rate, self._say = delay_s, expected_ms, rate, say

    def check(self) -> None:
        """Checks the delay before the session starts.

        Raises:
            StateError: if pipeline, buffers and devices take longer in any case.
        """
        if self._expected_ms() > 1e3 * self._delay_s:
            raise StateError(self._too_short())

    def missing_frames(self) -> int:
        """Frames by which the reserve has to grow; called at each start of the devices.

        Raises:
            StateError: if the delay is too short, at the first start. Later, the session goes on
                with the least delay, and says so.
        """
        expected_s = 1e-3 * self._expected_ms()
        missing = round((self._delay_s - expected_s) * self._rate)
        if missing < 0 and self.held_s is None:
            raise StateError(self._too_short())
        before, self.held_s = self.held_s, max(self._delay_s, expected_s)
        shown = f"{1e3 * self.held_s:.0f} ms"
        if missing < 0:
            asked = f"{1e3 * self._delay_s:.0f} ms"
            self._say(f"the delay is {shown} now, not {asked}: a device takes longer", "fault")
            return 0
        if before != self.held_s:
            self._say(f"delay from microphone to loudspeaker: {shown}, kept")
            self._say(f"in OBS: delay the camera by {shown} (filter: Video Delay or Render Delay)")
        return missing

    def _too_short(self) -> Problem:
        least = math.ceil(self._expected_ms() / _ROUNDED_MS + 1) * _ROUNDED_MS
        text = (
            f"a delay of {1e3 * self._delay_s:.0f} ms is too short: pipeline, buffers and devices "
            f"take {self._expected_ms():.0f} ms"
        )
        return Problem("short-delay", text, fix=f"--delay {least}ms")
