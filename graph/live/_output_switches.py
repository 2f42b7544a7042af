"""What a person switches while it runs: mute, the talk key, the monitor, matched loudness.

Each is a gain that moves over a few milliseconds, so that no switch clicks.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ._declick import Bridge


class Glide:
    """A gain that goes to its target within one bridge."""

    def __init__(self, bridge: Bridge, value: float) -> None:
        self.target = value
        self._value = value
        self._bridge = bridge

    def begin(self, value: float) -> None:
        """Stands there from the beginning, without a way to it."""
        self.target = self._value = value

    @property
    def idle_at(self) -> float | None:
        """The gain, if it does not move; None while it does."""
        return self._value if self._value == self.target else None

    def over(self, count: int) -> np.ndarray:
        """The gain of the next ``count`` samples: ``[N]``."""
        target = self.target  # read once: another thread may move it
        gains = np.full(count, target, np.float32)
        _, fall = self._bridge.ramps(count)
        gains[: len(fall)] += (self._value - target) * fall
        self._value = target
        return gains

    def apply(self, block: np.ndarray) -> np.ndarray:
        """``block`` ``[C, N]`` with the gain; the same array where that is 1."""
        steady = self.idle_at
        if steady == 1.0:
            return block
        return block * (steady if steady is not None else self.over(block.shape[1]))


class Switches:
    """The gains of one session.

    Args:
        rate_in: of the input in Hz.
        rate_out: of the output in Hz.

    Attributes:
        talk: 1 where the input goes in.
        mute: 0 where nothing goes out.
        monitor: 1 where the dry signal is heard beside the output.
        trim: brings a variant to the loudness of the other.
        dry: the newest dry block ``[C, N]``, if one was made.
    """

    def __init__(self, rate_in: Fraction, rate_out: Fraction) -> None:
        before, after = Bridge(float(rate_in)), Bridge(float(rate_out))
        self.talk = Glide(before, 1.0)
        self.mute = Glide(after, 1.0)
        self.monitor = Glide(after, 0.0)
        self.trim = Glide(after, 1.0)
        self.dry: np.ndarray | None = None

    def shape_input(self, block: np.ndarray) -> None:
        """Changes ``block`` ``[C, N]`` in place."""
        if self.talk.idle_at != 1.0:
            block *= self.talk.over(block.shape[1])

    def shape_output(self, block: np.ndarray) -> np.ndarray:
        """What is played instead of ``block`` ``[C, N]``."""
        made = self.mute.apply(self.trim.apply(block))
        if self.dry is not None and self.monitor.idle_at != 0.0:
            made = made + self.monitor.apply(self.dry)
        self.dry = None
        return made
