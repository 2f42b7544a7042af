"""Switches of a live session as smoothed gains: mute, talk key, monitor, loudness trim.

Each gain moves to its target over a few milliseconds, so that no switch clicks. The monitor and the
``dry`` policy play the dry signal: the input, converted to the rate and channels of the output.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..pipeline import Pipeline, node
from ..plan import CompiledPlan
from ..signals import Audio
from ._declick import DeclickRamps

if TYPE_CHECKING:
    from ..runtime.session import Session


class SmoothedGain:
    """A gain that reaches its target within the ramp of ``declick``.

    Attributes:
        target: the gain to reach; may be set from any thread.
    """

    def __init__(self, declick: DeclickRamps, value: float) -> None:
        self.target = value
        self._value = value
        self._declick = declick

    def set_now(self, value: float) -> None:
        """Sets the gain without a ramp."""
        self.target = self._value = value

    @property
    def steady_value(self) -> float | None:
        """The gain if it is constant; None while it moves."""
        return self._value if self._value == self.target else None

    def ramp(self, count: int) -> np.ndarray:
        """The gain of the next ``count`` samples: float32 ``[N]``."""
        target = self.target  # read once: another thread may change it
        gains = np.full(count, target, np.float32)
        _, fall = self._declick.ramps(count)
        gains[: len(fall)] += (self._value - target) * fall
        self._value = target
        return gains

    def apply(self, block: np.ndarray) -> np.ndarray:
        """``block`` ``[C, N]`` times the gain; the same array if the gain is 1."""
        steady = self.steady_value
        if steady == 1.0:
            return block
        return block * (steady if steady is not None else self.ramp(block.shape[1]))


class GainSwitches:
    """The switches of one session.

    Args:
        rate_in: of the input in Hz.
        rate_out: of the output in Hz.

    Attributes:
        talk: 1 to let the input in.
        mute: 0 to silence the output.
        monitor: 1 to add the dry signal to the output.
        trim: matches the loudness of a variant to that of the other.
        dry: the newest dry block ``[C, N]``, if one was made.
    """

    def __init__(self, rate_in: Fraction, rate_out: Fraction) -> None:
        before, after = DeclickRamps(float(rate_in)), DeclickRamps(float(rate_out))
        self.talk = SmoothedGain(before, 1.0)
        self.mute = SmoothedGain(after, 1.0)
        self.monitor = SmoothedGain(after, 0.0)
        self.trim = SmoothedGain(after, 1.0)
        self.dry: np.ndarray | None = None

    def shape_input(self, block: np.ndarray) -> None:
        """Applies the talk key to ``block`` ``[C, N]``, in place."""
        if self.talk.steady_value != 1.0:
            block *= self.talk.ramp(block.shape[1])

    def shape_output(self, block: np.ndarray) -> np.ndarray:
        """``block`` ``[C, N]`` with trim, mute and monitor applied."""
        made = self.mute.apply(self.trim.apply(block))
        if self.dry is not None and self.monitor.steady_value != 0.0:
            made = made + self.monitor.apply(self.dry)
        self.dry = None
        return made


def dry_session(plan: CompiledPlan) -> Session:
    """A session that passes the input of ``plan`` through, in the format of its output."""
    target = plan.output_type
    assert isinstance(target, Audio)
    passing = Pipeline(
        name="dry",
        block=plan.block,
        input={"rate": plan.source.rate, "channels": plan.source.channels},
        nodes={"dry": node("dsp.gain", "input")},
        output="dry",
        on_nan=plan.settings.on_nan,
        threads=plan.settings.threads,
    )
    return passing.compile(target=target).session(workers=False)
