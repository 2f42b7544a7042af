"""The loop of the engine thread: takes blocks from the capture ring buffer, processes, plays them.

The time is passed in as an argument, so the same loop runs with a sound card and in a simulation.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ._capture_buffer import CaptureRingBuffer
from ._constant_delay import ConstantDelay
from ._declick import DeclickRamps
from ._drift_compensation import DriftCompensation
from ._drift_resampler import DriftResampler
from ._gain_switches import GainSwitches
from ._level_meters import LevelMeter
from ._newest_pitch import NewestPitch
from ._overruns import OverrunAttribution, OverrunCounts
from ._playback_buffer import PlaybackRingBuffer
from ._silence_gate import SilenceGate
from .spectrum_feed import SpectrumFeed

if TYPE_CHECKING:
    from ..runtime.session import Session

_REMEMBERED = 16
"""Newest compute times from which the next one is estimated."""
_WORTH_PLAYING = 0.02
"""Part of a block that must still be in time, or the block is dropped."""


BlockListener = Callable[[float, np.ndarray], None]
"""Takes the level of an input block (root mean square), and the output block ``[C, N]``."""


class EventLog(Protocol):
    """Takes the events of the loop; keys as in recordings."""

    def __call__(self, tick: int, **what: Any) -> None:
        """Adds the events of a tick."""


def _discard_event(tick: int, **what: Any) -> None:
    pass


class EngineLoop:
    """Runs a session between the two ring buffers.

    Args:
        session: with one stream, from the format of the input device to that of the output device.
        capture: the input ring buffer.
        playback: the output ring buffer.
        compensation: says at which output position a block belongs.
        gate: finds silence that is not processed; None to process all input.
        dry: makes the dry signal, for the policy ``dry`` and for the monitor.
        note: is called for every event.

    Attributes:
        counts: late (overrun), dropped and skipped blocks.
        attribution: which nodes caused overruns.
        skipping: silence is being skipped.
        cpu_s: CPU time of the engine's thread for the newest block, in seconds: unlike its compute
            time it does not grow while other programs have the processor. 0 before the first.
        computing_since: when processing of the block began (``time.perf_counter``); None if none
            is being processed.
        idle: set while no block is being processed.
        constant_delay: the delay that was asked for; None: it is as short as possible.
        spectra: gets what is processed, while somebody watches.
        listeners: called with every output block, before switches change it.
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
        self._note = note or _discard_event
        self._block_s = float(plan.block)
        self._out = plan.samples_out
        shape = (plan.source.channels, plan.samples_in)
        self._input = np.zeros(shape, np.float32)
        self._before = np.zeros(shape, np.float32)
        channels = plan.output_type.width or 1
        self._resampler = None if compensation.one_clock else DriftResampler(channels)
        self._declick_in = DeclickRamps(float(plan.source.rate))
        self._spliced = False  # the next input block does not follow the previous one
        self._last_in = np.zeros(shape[0], np.float32)
        self._compute: deque[float] = deque(maxlen=_REMEMBERED)
        self._started = False
        self._starts = 0
        self.cpu_s = 0.0
        self.computing_since: float | None = None
        self.idle = threading.Event()
        self.idle.set()
        self._made: np.ndarray | None = None
        self.spectra = SpectrumFeed(float(plan.source.rate), float(plan.output_type.rate))
        self.constant_delay: ConstantDelay | None = None
        self._pitch = NewestPitch()

    @property
    def expected_s(self) -> float:
        """Estimated compute time of the next block in seconds."""
        return median(self._compute) if self._compute else 0.0

    def override_cost(self, seconds: float) -> None:
        """Overrides the compute time of the newest block (simulation)."""
        self._compute[-1] = self.attribution.total_s = seconds

    # ---- taking a block -----------------------------------------------------------------------

    def take_block(self) -> bool:
        """Takes the next block to process; False if there is none yet."""
        self.compensation.update_clocks()
        if not self._started and not self._start():
            return False
        self._drop(self.capture.discard_overrun())
        while self.capture.waiting:
            if self._too_late():
                if self._frames_were_lost():
                    self._realign()
                    continue
                self.capture.skip()
                self._drop(1)
                continue
            self.capture.take(self._input)
            if self._skip_silence():
                continue
            return True
        return False

    def _start(self) -> bool:
        if not self.compensation.settled:
            self.capture.tail = self.capture.head  # input from before the start is not played
            return False
        if not self.capture.waiting:
            return False
        while self.capture.waiting > 1:
            self.capture.skip()
        end = self.capture.tail + self.capture.block
        compensation = self.compensation
        again = compensation.jitter > 0
        first = compensation.position_of(end) if again else compensation.first_position(end)
        if self.constant_delay is not None:
            compensation.reserve += self.constant_delay.missing_frames()
            first = compensation.position_of(end)
        self.playback.seek(first)
        if self._starts == 0:  # devices lose audio while they open, before anything is played
            self.capture.lost = self.playback.lost = 0
        self._starts += 1
        self._started = True
        return True

    def restart(self) -> None:
        """Starts again after the device was away: forgets waiting input, and sets the delay."""
        self.capture.restart()
        self.playback.callback_times.clear()
        self.compensation.restart()
        self._started = False
        self._spliced = True

    def _too_late(self) -> bool:
        """Whether the oldest block would be late almost entirely, but a later one in time."""
        takes = self.expected_s * self.rate_out
        ends = self.playback.head + self._out
        reserve = self.compensation.reserve + self._out
        return takes < reserve and ends - self.playback.demand < takes + _WORTH_PLAYING * self._out

    def _frames_were_lost(self) -> bool:
        """Whether a block that has just arrived is late already: the device lost frames."""
        return self.capture.waiting == 1 and self.playback.head + self._out <= self.playback.demand

    def _realign(self) -> None:
        before = self.playback.head
        self.compensation.resync()
        end = self.capture.tail + self.capture.block
        self.playback.seek(self.compensation.position_of(end))
        moved = (before - self.playback.head) / self.rate_out
        self.compensation.count_realignment(moved)
        self._note(self.session.position, realigned=1e3 * moved)

    def _drop(self, blocks: int) -> None:
        """Drops blocks whose output would be late: the graph skips them, and the delay stays."""
        if not blocks:
            return
        self.counts.dropped += blocks
        self._note(self.session.position, dropped=blocks)
        self._write_gap(blocks)

    def _write_gap(self, blocks: int) -> None:
        self.playback.write_gap(blocks * self._out)
        self._spliced = True

    def _skip_silence(self) -> bool:
        """Skips the block if it is silence; whether it did."""
        self.input_level.take(self._input)
        if self.gate is None:
            return False
        was = self.skipping
        # A hot swap needs blocks: while one is in progress, silence is processed, too.
        self.skipping = self.gate.should_skip(self._input) and not self.session.swapping
        if self.skipping:
            self.counts.skipped += 1
            self._write_gap(1)
            self._before, self._input = self._input, self._before
        elif was:
            self._process_onset()
        return self.skipping

    def _process_onset(self) -> None:
        """Processes the block before the sound, too, so that no onset is cut."""
        self._note(self.session.position, silence=self.gate.skipped_blocks if self.gate else 0)
        self._join_input(self._before)
        self.switches.shape_input(self._before)  # the talk key applies to this block, too
        self.session.process(self._before)

    # ---- processing ---------------------------------------------------------------------------

    def compute(self) -> None:
        """Processes the block that was taken."""
        self.computing_since = time.perf_counter()
        self.idle.clear()
        begun = time.thread_time()
        try:
            self._compute_block()
        finally:
            self.cpu_s = time.thread_time() - begun
            self.computing_since = None
            self.idle.set()

    def _compute_block(self) -> None:
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
            self._declick_in.join(self._last_in, block)
            self._spliced = False
        self._last_in[:] = block[:, -1]

    def _make_dry(self, dry: Session) -> None:
        """Makes the dry block, with the same latency as the processed one."""
        made = dry.process(self._input)
        self.switches.dry = made
        if self.playback.policy == "dry":
            if self.switches.mute.target == 0.0:
                made = np.zeros_like(made)
            lag = self.session.plan.latency.algorithmic - dry.plan.latency.algorithmic
            delay = self._resampler.delay if self._resampler else 0
            self.playback.write_dry(self.playback.head + round(lag * self.rate_out) + delay, made)

    # ---- delivering ---------------------------------------------------------------------------

    def deliver(self, now: float) -> None:
        """Writes the processed block to its position in the playback ring buffer.

        Args:
            now: ``time.perf_counter``, in seconds.
        """
        assert self._made is not None
        for listen in self.listeners:
            listen(self.input_level.rms, self._made)
        made = self.switches.shape_output(self._made)
        self.output_level.take(made)
        if self.spectra.wanted:
            self.spectra.put(self._input, made, self._pitch.read(self.session))
        correction = self.compensation.correct(self.capture.tail, self._block_s)
        if self._resampler is not None:
            made = self._resampler(made, correction.stretch)
        if correction.jump:
            self._note(self.session.position - 1, realigned=1e3 * correction.jump / self.rate_out)
            made = self.playback.jump(made, correction.jump)
        if self.session.silenced and self.playback.policy == "dry":
            self.playback.write_gap(made.shape[1])  # the dry signal in place of silence
        elif late := self.playback.write(made):
            self._record_overrun(late / self.rate_out, now)
        self._made = None

    def _record_overrun(self, seconds: float, now: float) -> None:
        self.counts.add_late(seconds, now)
        node = self.attribution.attribute(self._block_s)
        self._note(self.session.position - 1, late=1e3 * seconds, blamed=node)
