"""What a live session is doing, as the model that screens and programs read."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from voicegraph.schemas.live_status import (
    DriftReport,
    EndReport,
    LateReport,
    LiveLatency,
    LiveState,
    LiveStatus,
    NodeLoad,
)

from ._drift_resampler import Stretch
from ._level_meter import Level, decibels
from ._overrun_advice import advise
from ._param_status import live_params
from .devices.audio_backend import Card, CardEnd

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.session import Session
    from ..runtime.timing import Timing
    from ._ab_variants import Variants
    from .engine_loop import Loop
    from .factory import LiveOptions

_SHOWN = 8
"""Messages that are shown."""


class ReportedSession(Protocol):
    """What a status reads of a live session."""

    session: Session
    card: Card
    options: LiveOptions
    loop: Loop
    state: LiveState
    messages: deque[tuple[float, str]]
    begun: float
    measured_ms: float | None
    recording: str | None

    @property
    def variants(self) -> Variants | None:
        """The two variants of the pipeline; None if there is one."""
        ...


def report(live: ReportedSession) -> LiveStatus:
    """The status now."""
    loop = live.loop
    now = time.perf_counter()
    plan, timings = _running(live.session)
    total = timings["total"]
    block_ms = 1e3 * float(plan.block)
    nodes = [
        NodeLoad(
            name=node.name,
            use=node.use,
            median_ms=timings[node.name].median_ms,
            p99_ms=timings[node.name].p99_ms,
        )
        for node in plan.nodes
    ]
    nodes += [NodeLoad(name=n, use="", median_ms=0, p99_ms=0, bypassed=True) for n in plan.bypassed]
    late = _late(live, now)
    switches = loop.switches
    return LiveStatus(
        state=live.state,
        pipeline=plan.name,
        seconds=now - live.begun,
        tick=live.session.position,
        block_ms=block_ms,
        input=_end(live.card.input, loop.input_level, loop.capture.lost),
        output=_end(live.card.output, loop.output_level, loop.playback.lost),
        compute_median_ms=total.median_ms,
        compute_p99_ms=total.p99_ms,
        compute_max_ms=total.max_ms,
        headroom=1 - total.p99_ms / block_ms,
        nodes=nodes,
        late=late,
        latency=latency(live),
        drift=_drift(live),
        skipping=loop.resting,
        muted=switches.mute.target == 0.0,
        push_to_talk=live.options.push_to_talk,
        talking=switches.talk.target == 1.0,
        monitor=switches.monitor.target > 0.0,
        variant=live.variants.name if live.variants else None,
        params=live_params(live.session),
        messages=[text for _, text in list(live.messages)[-_SHOWN:]],
        advice=advise(plan, timings, late, block_ms),
        recording=live.recording,
    )


def _running(session: Session) -> tuple[CompiledPlan, Mapping[str, Timing]]:
    """What runs, with the times of its nodes; asked while nodes may be exchanged."""
    while True:
        plan, timings = session.plan, session.timings()
        if {node.name for node in plan.nodes} <= timings.keys():
            return plan, timings


def latency(live: ReportedSession) -> LiveLatency:
    """The four latencies of a session."""
    loop, plan, card = live.loop, live.session.plan, live.card
    held = loop.alignment.reserve / card.output.rate
    if not card.one_clock:
        # The devices' own latencies count from the first frame of a callback, the clocks from the
        # last: that cancels where both callbacks are as long.
        held += (Stretch.delay + loop.playback.largest) / card.output.rate
        held -= loop.capture.largest / card.input.rate
    return LiveLatency(
        algorithmic_ms=1e3 * float(plan.latency.algorithmic),
        buffering_ms=1e3 * (float(plan.block) + held),
        device_ms=1e3 * (card.input.latency + card.output.latency),
        measured_ms=live.measured_ms,
    )


def _late(live: ReportedSession, now: float) -> LateReport:
    counts = live.loop.counts
    return LateReport(
        blocks=counts.late,
        last_minute=live.loop.late_since(now - 60),
        dropped=counts.dropped,
        worst_ms=1e3 * counts.worst_s,
        blamed=dict(live.loop.blame.counts),
    )


def _drift(live: ReportedSession) -> DriftReport:
    alignment = live.loop.alignment
    drift = alignment.drift
    return DriftReport(
        one_clock=alignment.one_clock,
        drift_ppm=None if drift is None else 1e6 * drift,
        correction_ppm=1e6 * alignment.longer,
        offset_ms=1e3 * alignment.error,
        realigned=alignment.realigned,
    )


def _end(end: CardEnd, level: Level, lost: int) -> EndReport:
    return EndReport(
        device=end.name,
        rate_hz=end.rate,
        channels=end.channels,
        peak_db=decibels(level.peak),
        rms_db=decibels(level.rms),
        clipped=level.clipped,
        lost=lost,
    )
