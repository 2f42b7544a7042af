"""Puts the parts of a live session together: rings, clocks, and the loop between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._capture_buffer import CaptureRingBuffer
from ._drift_compensation import DriftCompensation
from ._playback_buffer import PlaybackRingBuffer
from ._silence_gate import SilenceGate
from .devices.audio_backend import OpenDevice
from .engine_loop import EngineLoop, EventLog

if TYPE_CHECKING:
    from ..runtime.session import Session

_RINGS_S = 2.0
"""Seconds that rings hold at least, and two blocks."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a live session behaves.

    Attributes:
        margin_s: reserve against threads that wake up late; part of the buffering latency.
        silence: ``run`` processes silence as everything else; ``skip`` rests.
        opens_db: with ``skip``, the level (root mean square of 10 ms) from which on it wakes up.
        closes_db: the level below which it falls asleep.
        hold_s: how long there must be silence before.
        push_to_talk: nothing goes in until the talk key is down.
        monitor: begins with the dry input beside the output.
        variant: overrides that make variant ``b`` of the pipeline.
    """

    margin_s: float = 0.004
    silence: str = "run"
    opens_db: float = -50.0
    closes_db: float = -56.0
    hold_s: float = 1.0
    push_to_talk: bool = False
    monitor: bool = False
    variant: dict[str, Any] | None = None


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
        session: compiled for the formats of both.
        source: where sound comes from.
        target: where it goes.
        one_clock: both are one duplex stream.
        options: how to behave.
        note: is told what happens.
    """
    plan = session.plan
    room_in = round(_RINGS_S * source.rate) + 2 * plan.samples_in
    room_out = round((_RINGS_S + options.margin_s) * target.rate) + 4 * plan.samples_out
    capture = CaptureRingBuffer(source.channels, plan.samples_in, room_in)
    playback = PlaybackRingBuffer(target.channels, target.rate, room_out, plan.settings.on_late)
    reserve = plan.samples_out + round(options.margin_s * target.rate)
    compensation = DriftCompensation(
        capture, playback, (source.rate, target.rate), reserve, one_clock
    )
    gate = None
    if options.silence == "skip":
        hold = options.hold_s + float(plan.latency.algorithmic)
        block_s = float(plan.block)
        gate = SilenceGate(options.opens_db, options.closes_db, hold, source.rate, block_s)
    return EngineLoop(session, capture, playback, compensation, gate=gate, note=note)
