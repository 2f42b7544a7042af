"""Creates the engine loop of a live session: ring buffers, clocks, silence gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._capture_buffer import CaptureRingBuffer
from ._constant_delay import ConstantDelay
from ._drift_compensation import DriftCompensation
from ._playback_buffer import PlaybackRingBuffer
from ._silence_gate import SilenceGate
from .devices.audio_backend import OpenDevice
from .engine_loop import EngineLoop, EventLog

if TYPE_CHECKING:
    from ..runtime.session import Session

LONGEST_DELAY_S = 10.0
"""The longest delay that may be asked for: the output waits in a ring buffer."""
_BUFFERED_S = 2.0
"""Seconds that a ring buffer holds, besides some blocks."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Settings of a live session.

    Attributes:
        margin_s: reserve in seconds against threads that wake up late; part of the buffering
            latency.
        silence: ``run`` processes silence like all other input; ``skip`` does not process it.
        opens_db: with ``skip``, the level (root mean square of 10 ms) from which on there is sound.
        closes_db: with ``skip``, the level below which there is silence.
        hold_s: with ``skip``, seconds of silence before processing pauses.
        push_to_talk: the input is muted until the talk key is pressed.
        monitor: starts with the dry input added to the output.
        variant: overrides that make variant ``b`` of the pipeline.
        swap_limit_s: seconds after which a hot swap is given up.
        delay_s: seconds from the microphone to the loudspeaker, which are kept; None: as short as
            possible.
        takes: folder of the recordings that are begun while the session runs; None: there are none.
        microphone: name under which other programs find the virtual microphone that is played to;
            None without one.
    """

    margin_s: float = 0.004
    silence: str = "run"
    opens_db: float = -50.0
    closes_db: float = -56.0
    hold_s: float = 1.0
    push_to_talk: bool = False
    monitor: bool = False
    variant: dict[str, Any] | None = None
    swap_limit_s: float = 60.0
    delay_s: float | None = None
    takes: Path | None = None
    microphone: str | None = None


def create_loop(
    session: Session,
    source: OpenDevice,
    target: OpenDevice,
    one_clock: bool,
    options: LiveOptions,
    note: EventLog | None = None,
) -> EngineLoop:
    """The loop that runs a session between two devices.

    Args:
        session: compiled for the formats of both devices.
        source: the input device.
        target: the output device.
        one_clock: both are one duplex stream.
        options: settings of the live session.
        note: is called for every event.
    """
    plan = session.plan
    capacity_in = round(_BUFFERED_S * source.rate) + 2 * plan.samples_in
    waiting_s = _BUFFERED_S + options.margin_s + (options.delay_s or 0.0)
    capacity_out = round(waiting_s * target.rate) + 4 * plan.samples_out
    capture = CaptureRingBuffer(source.channels, plan.samples_in, capacity_in)
    playback = PlaybackRingBuffer(target.channels, target.rate, capacity_out, plan.settings.on_late)
    reserve = plan.samples_out + round(options.margin_s * target.rate)
    rates = (source.rate, target.rate)
    compensation = DriftCompensation(capture, playback, rates, reserve, one_clock)
    gate = None
    if options.silence == "skip":
        hold = options.hold_s + float(plan.latency.algorithmic)
        block_s = float(plan.block)
        gate = SilenceGate(options.opens_db, options.closes_db, hold, source.rate, block_s)
    return EngineLoop(session, capture, playback, compensation, gate=gate, note=note)


def hold_delay(
    loop: EngineLoop,
    options: LiveOptions,
    expected_ms: Callable[[], float],
    say: Callable[..., None],
) -> None:
    """Makes a loop keep the delay that ``options`` ask for, if they do.

    Args:
        loop: not started yet.
        options: settings of the live session.
        expected_ms: sum of all latencies, with the loop's present reserve.
        say: adds a message, with its kind.

    Raises:
        StateError: if the delay is too short in any case.
    """
    if options.delay_s is None:
        return
    loop.constant_delay = ConstantDelay(options.delay_s, expected_ms, round(loop.rate_out), say)
    loop.constant_delay.check()
