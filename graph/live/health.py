"""The health of a live session: counters of everything that can go wrong, and sentences about it.

The model is filled here and nowhere else.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from voicegraph.schemas.live_health import LateReport, LiveHealth
from voicegraph.schemas.recording_state import RecordingState

from ..runtime.fault_recovery import FaultRecovery
from ..runtime.running_node import running_node

if TYPE_CHECKING:
    from .engine_loop import EngineLoop

HANGING_S = 1.0
"""A block that takes longer than its length by so much is said to hang, before it is finished."""
FALLING_BEHIND = 0.5
"""A recording's queue is so full, 0..1: the disk is slow, and the recording may stop."""
LOW_SPACE_S = 600.0
"""Seconds of recording that still fit on the disk below which there is a warning."""


def build_health(
    loop: EngineLoop,
    *,
    recording: RecordingState | None = None,
    devices_lost: int = 0,
    control_packets_dropped: int = 0,
    takes_free_bytes: int | None = None,
) -> LiveHealth:
    """The health at this moment; may be called from any thread.

    Args:
        loop: the engine loop, with its session.
        recording: the state of the recording, if there is one.
        devices_lost: how often a device went away.
        control_packets_dropped: control packets that were not carried out.
        takes_free_bytes: free space of the disk for takes.
    """
    playback, compensation, block_s = (
        loop.playback,
        loop.compensation,
        float(loop.session.plan.block),
    )
    recovery = loop.session.recovery
    faults = recovery if isinstance(recovery, FaultRecovery) else None
    newest = faults.newest if faults is not None else None
    hanging_s = _hanging_s(loop)
    found = LiveHealth(
        late=_late_report(loop),
        underruns=playback.lost,
        overflows=loop.capture.lost,
        gaps=playback.underruns,
        gap_ms=1e3 * playback.missing_frames / loop.rate_out,
        realigned=compensation.realigned,
        largest_realignment_ms=1e3 * compensation.largest_jump_s,
        devices_lost=devices_lost,
        clipped_in=loop.input_level.clipped,
        clipped_out=loop.output_level.clipped,
        node_faults=dict(faults.counts) if faults is not None else {},
        newest_fault=newest.text if newest is not None else None,
        silenced_by=faults.silenced_by if faults is not None else None,
        silent_s=faults.silent_ticks * block_s if faults is not None else 0.0,
        hanging_node=_hanging_node(loop) if hanging_s else None,
        hanging_s=hanging_s,
        nonfinite_blocks=loop.session.nonfinite,
        control_packets_dropped=control_packets_dropped,
        recording=recording,
        takes_free_bytes=takes_free_bytes,
    )
    return found.model_copy(update={"events": health_events(found)})


def _hanging_s(loop: EngineLoop) -> float:
    """For how long one block has been processed, in seconds; 0 where that is an ordinary time."""
    since = loop.computing_since
    spent = 0.0 if since is None else time.perf_counter() - since
    return spent if spent > HANGING_S + float(loop.session.plan.block) else 0.0


def _hanging_node(loop: EngineLoop) -> str:
    step = running_node(loop.session.engine)
    return step.name if step is not None else ""


def _late_report(loop: EngineLoop) -> LateReport:
    counts = loop.counts
    return LateReport(
        blocks=counts.late,
        last_minute=counts.late_since(time.perf_counter() - 60),
        dropped=counts.dropped,
        worst_ms=1e3 * counts.worst_s,
        blamed=dict(loop.attribution.counts),
    )


def health_events(health: LiveHealth) -> list[str]:
    """What is not as it should be, as sentences, worst first; empty if there is nothing."""
    return [
        text
        for part in (
            _fault_events,
            _recording_events,
            _device_events,
            _overrun_events,
            _level_events,
        )
        for text in part(health)
    ]


def _fault_events(health: LiveHealth) -> list[str]:
    found = []
    if health.hanging_s:
        name = health.hanging_node or "a node"
        text = f"{name} has been processing one block for {health.hanging_s:.0f} s"
        found.append(f"the output is silent: {text}; stop ends the session")
    if health.silenced_by is not None:
        name = health.silenced_by or "a node"
        found.append(f"the output is silent: {name} failed")
    if health.node_faults:
        names = ", ".join(
            f"{name or 'a node'} {_times(count)}" for name, count in health.node_faults.items()
        )
        found.append(f"nodes failed: {names}; {_duration(1e3 * health.silent_s)} without output")
    return found


def _recording_events(health: LiveHealth) -> list[str]:
    recording = health.recording
    if recording is None:
        return []
    if recording.stopped is not None:
        at = f"{recording.recorded_s:.0f} s"
        return [f"the recording stopped after {at}: {recording.stopped}"]
    found = []
    if recording.behind > FALLING_BEHIND:
        found.append(f"the recording is falling behind: its queue is {recording.behind:.0%} full")
    if recording.left_s is not None and recording.left_s < LOW_SPACE_S:
        found.append(f"the disk has room for {room_left(recording.left_s)} of recording")
    return found


def room_left(seconds: float) -> str:
    """Length of a recording that still fits on the disk, in words."""
    return f"{seconds / 60:.0f} more minutes" if seconds >= 120 else f"{seconds:.0f} more seconds"


def _device_events(health: LiveHealth) -> list[str]:
    found = []
    if health.devices_lost:
        found.append(f"a device went away {_times(health.devices_lost)}")
    if health.realigned:
        found.append(
            f"audio was lost and the delay jumped {_times(health.realigned)}, "
            f"by up to {_duration(health.largest_realignment_ms)}"
        )
    if health.underruns:
        found.append(f"the output device ran dry (underrun) {_times(health.underruns)}")
    if health.overflows:
        found.append(f"the input device lost audio (overflow) {_times(health.overflows)}")
    if health.gaps:
        found.append(
            f"the output had {_count(health.gaps, 'gap')}, {_duration(health.gap_ms)} in all"
        )
    return found


def _overrun_events(health: LiveHealth) -> list[str]:
    late = health.late
    found = []
    if late.dropped:
        were = "was" if late.dropped == 1 else "were"
        found.append(f"{_count(late.dropped, 'block')} {were} dropped")
    if late.blocks:
        were = "was" if late.blocks == 1 else "were"
        worst = _duration(late.worst_ms)
        found.append(f"{_count(late.blocks, 'block')} {were} late (overrun), by up to {worst}")
    return found


def _level_events(health: LiveHealth) -> list[str]:
    found = []
    if health.nonfinite_blocks:
        blocks = _count(health.nonfinite_blocks, "block")
        found.append(f"NaN or infinity in {blocks}, replaced by silence")
    if health.clipped_out:
        found.append(f"the output clipped: {_count(health.clipped_out, 'sample')}")
    if health.clipped_in:
        found.append(f"the input clipped: {_count(health.clipped_in, 'sample')}")
    if health.control_packets_dropped:
        packets = _count(health.control_packets_dropped, "control packet")
        found.append(f"too many at once: {packets} not carried out")
    return found


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _count(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def _duration(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 999.5 else f"{ms / 1e3:.1f} s"
