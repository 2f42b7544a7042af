"""One block after another, from the capture ring to the playback ring: what the engine thread does.

Time comes in as an argument, so that the same loop runs under a sound card and in a simulation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ._capture_buffer import CaptureRingBuffer
from ._declick import DeclickRamps
from ._drift_compensation import DriftCompensation
from ._drift_resampler import DriftResampler
from ._gain_switches import GainSwitches
from ._level_meters import LevelMeter
from ._overruns import OverrunAttribution, OverrunCounts
from ._playback_buffer import PlaybackRingBuffer
from ._silence_gate import SilenceGate

if TYPE_CHECKING:
    from ..runtime.session import Session

_REMEMBERED = 16
"""Ticks whose compute time says how long the next one will take."""
_HARDLY = 0.02
"""A block of which less than this part would be heard is not worth running."""


BlockListener = Callable[[float, np.ndarray], None]
"""Takes the level of a block of input (root mean square), and the output block ``[C, N]``."""


class EventLog(Protocol):
    """Takes notes of what happened at a tick; keys as in recordings."""

    def __call__(self, tick: int, **what: Any) -> None:
        """Notes one thing."""


def _nobody(tick: int, **what: Any) -> None:
    """Takes no notes."""


class EngineLoop:
    """Runs a session between two rings.

    Args:
        session: with one stream; it takes the input device's audio and gives the output device's.
        capture: the input ring.
        playback: the output ring.
        alignment: where blocks belong.
        gate: rests in silence, if there is one.
        dry: makes the dry signal, for the policy ``dry`` and for the monitor.
        note: is told what happened.

    Attributes:
        counts: late, dropped and skipped blocks.
        blame: which nodes were late.
        resting: there is silence, and the graph stands still.
        listeners: told of every block that is delivered, before switches change it.
    """

    def __init__(
        self,
        session: Session,
        capture: CaptureRingBuffer,
        playback: PlaybackRingBuffer,
        compensation: DriftCompensation,
        *,
        gate: SilenceGate | None = None,
        dry: Session | None = None,
        note: EventLog | None = None,
    ) -> None:
        plan = session.plan
        self.session = session
        self.capture, self.playback, self.compensation = capture, playback, compensation
        self.gate, self.dry = gate, dry
        self.counts = OverrunCounts()
        self.attribution = OverrunAttribution()
        self.switches = GainSwitches(plan.source.rate, plan.output_type.rate)
        self.input_level, self.output_level = LevelMeter(), LevelMeter()
        self.skipping = False
        self.rate_out = float(plan.output_type.rate)
        self.listeners: list[BlockListener] = []
        self._note = note or _nobody
        self._block_s = float(plan.block)
        self._out = plan.samples_out
        shape = (plan.source.channels, plan.samples_in)
        self._input = np.zeros(shape, np.float32)
        self._before = np.zeros(shape, np.float32)
        self._resampler = (
            None if compensation.one_clock else DriftResampler(plan.output_type.width or 1)
        )
        self._bridge_in, self._bridge_out = (
            DeclickRamps(float(plan.source.rate)),
            DeclickRamps(self.rate_out),
        )
        self._spliced = False
        self._last_in = np.zeros(shape[0], np.float32)
        self._compute: deque[float] = deque(maxlen=_REMEMBERED)
        self._begun = False
        self._made: np.ndarray | None = None

    @property
    def expected(self) -> float:
        """Seconds that a block is expected to take."""
        return median(self._compute) if self._compute else 0.0

    def override_cost(self, seconds: float) -> None:
        """Takes the newest block to have taken so long, whatever it did."""
        self._compute[-1] = self.attribution.total_s = seconds

    # ---- before -------------------------------------------------------------------------------

    def take(self, now: float) -> bool:
        """Takes the next block that is worth running; False where there is none yet."""
        self.compensation.follow()
        if not self._begun and not self._begin():
            return False
        self._drop(self.capture.overrun())
        while self.capture.waiting:
            if self._too_late():
                if self._misplaced():
                    self._replace()
                    continue
                self.capture.skip()
                self._drop(1)
                continue
            self.capture.take(self._input)
            if self._skip_silence():
                continue
            return True
        return False

    def _begin(self) -> bool:
        if not self.compensation.settled:
            self.capture.tail = self.capture.head  # what was said before the beginning is not heard
            return False
        if not self.capture.waiting:
            return False
        while self.capture.waiting > 1:
            self.capture.skip()
        end = self.capture.tail + self.capture.block
        again = self.compensation.jitter > 0
        self.playback.place(self.compensation.place(end) if again else self.compensation.begin(end))
        self._begun = True
        return True

    def restart(self) -> None:
        """The device was away: what waited is forgotten, and the delay found anew."""
        self.capture.restart()
        self.playback.callback_times.clear()
        self.compensation.restart()
        self._begun = False
        self._spliced = True

    def _too_late(self) -> bool:
        """Whether next to nothing of the oldest block would be heard, but of a later one would."""
        takes = self.expected * self.rate_out
        ends = self.playback.head + self._out
        reserve = self.compensation.reserve + self._out
        return takes < reserve and ends - self.playback.demand < takes + _HARDLY * self._out

    def _misplaced(self) -> bool:
        """Whether a block that has just come should have been heard already: frames were lost."""
        return self.capture.waiting == 1 and self.playback.head + self._out <= self.playback.demand

    def _replace(self) -> None:
        before = self.playback.head
        self.compensation.anchor()
        self.playback.place(self.compensation.place(self.capture.tail + self.capture.block))
        moved = (before - self.playback.head) / self.rate_out
        self.compensation.realigned += 1
        self._note(self.session.position, realigned=1e3 * moved)

    def _drop(self, blocks: int) -> None:
        """Blocks that nobody will hear: the graph does not see them, and the delay stays."""
        if not blocks:
            return
        self.counts.dropped += blocks
        self._note(self.session.position, dropped=blocks)
        self._stand_still(blocks)

    def _stand_still(self, blocks: int) -> None:
        self.playback.gap(blocks * self._out)
        self._spliced = True

    def _skip_silence(self) -> bool:
        """Whether this block is silence that the graph need not see."""
        self.input_level.take(self._input)
        if self.gate is None:
            return False
        was = self.skipping
        self.skipping = self.gate.should_skip(self._input)
        if self.skipping:
            self.counts.skipped += 1
            self._stand_still(1)
            self._before, self._input = self._input, self._before
        elif was:
            self._wake()
        return self.skipping

    def _wake(self) -> None:
        """What came just before the sound goes in with it, so that no onset is cut."""
        self._note(self.session.position, silence=self.gate.skipped_blocks if self.gate else 0)
        self._join_input(self._before)
        self.switches.shape_input(self._before)  # the talk key is for this block, too
        self.session.process(self._before)

    # ---- the block itself ---------------------------------------------------------------------

    def compute(self) -> None:
        """Runs the block that was taken."""
        self._join_input(self._input)
        self.switches.shape_input(self._input)
        if self.dry is not None:
            self._make_dry(self.dry)
        made = self.session.process(self._input)
        self.attribution.take(self.session.spent())
        self._compute.append(self.attribution.total_s)
        self._made = made

    def _join_input(self, block: np.ndarray) -> None:
        if self._spliced:
            self._bridge_in.join(self._last_in, block)
            self._spliced = False
        self._last_in[:] = block[:, -1]

    def _make_dry(self, dry: Session) -> None:
        """The dry block, as late as the other will be."""
        made = dry.process(self._input)
        self.switches.dry = made
        if self.playback.policy == "dry":
            lag = self.session.plan.latency.algorithmic - dry.plan.latency.algorithmic
            late = self._resampler.delay if self._resampler else 0
            self.playback.write_dry(self.playback.head + round(lag * self.rate_out) + late, made)

    # ---- after --------------------------------------------------------------------------------

    def deliver(self, now: float) -> None:
        """Hands over what the block became, where it belongs."""
        assert self._made is not None
        for listen in self.listeners:
            listen(self.input_level.rms, self._made)
        made = self.switches.shape_output(self._made)
        self.output_level.take(made)
        steering = self.compensation.steer(self.capture.tail, self._block_s)
        if self._resampler is not None:
            made = self._resampler(made, steering.stretch)
        if steering.jump:
            self._note(self.session.position - 1, realigned=1e3 * steering.jump / self.rate_out)
            made = self.playback.jump(made, steering.jump)
        late = self.playback.write(made)
        if late:
            self._came_late(late / self.rate_out, now)
        self._made = None

    def _came_late(self, seconds: float, now: float) -> None:
        self.counts.add_late(seconds, now)
        node = self.attribution.attribute(self._block_s)
        self._note(self.session.position - 1, late=1e3 * seconds, blamed=node)
