"""The status of a live session, as the model that screens and programs read."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from voicegraph.schemas.live_status import (
    DriftReport,
    EndReport,
    LiveLatency,
    LiveParam,
    LiveState,
    LiveStatus,
    NodeLoad,
)

from ..errors import StateError
from ..node_params import NodeParams
from ._drift_resampler import DriftResampler
from ._level_meters import LevelMeter, decibels
from ._overruns import AdviceMemory, overrun_advice
from ._timing_cache import TimingCache
from .devices.audio_backend import AudioBackend, OpenDevice
from .health import build_health

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.session import Session
    from ..runtime.timing import Timing
    from ._ab_variants import Variants
    from ._message_log import MessageLog
    from ._takes import Takes
    from .engine_loop import EngineLoop
    from .factory import LiveOptions

_SHOWN_MESSAGES = 8


class ReportedSession(Protocol):
    """What a status reads of a live session."""

    session: Session
    card: AudioBackend
    options: LiveOptions
    loop: EngineLoop
    state: LiveState
    messages: MessageLog
    begun: float
    measured_ms: float | None
    timings: TimingCache
    advice: AdviceMemory
    takes: Takes
    devices_lost: int
    control_packets_dropped: int

    @property
    def variants(self) -> Variants | None:
        """The two variants of the pipeline; None if there is one."""
        ...


def build_status(live: ReportedSession) -> LiveStatus:
    """The status at this moment; may be called from any thread."""
    loop = live.loop
    now = time.perf_counter()
    plan, timings = live.timings.read()
    total = timings["total"]
    block_ms = 1e3 * float(plan.block)
    recording = live.session.recording_state
    health = build_health(
        loop,
        recording=recording,
        devices_lost=live.devices_lost,
        control_packets_dropped=live.control_packets_dropped,
        takes_free_bytes=live.takes.free_bytes,
    )
    switches = loop.switches
    log = live.messages.newest(_SHOWN_MESSAGES)
    return LiveStatus(
        state=live.state,
        pipeline=plan.name,
        seconds=now - live.begun,
        tick=live.session.position,
        block_ms=block_ms,
        input=_end_report(live.card.input, loop.input_level, health.overflows),
        output=_end_report(live.card.output, loop.output_level, health.underruns),
        compute_median_ms=total.median_ms,
        compute_p99_ms=total.p99_ms,
        compute_max_ms=total.max_ms,
        headroom=1 - total.p99_ms / block_ms,
        nodes=node_loads(plan, timings),
        health=health,
        late=health.late,
        latency=live_latency(live),
        drift=_drift_report(live),
        skipping=loop.skipping,
        muted=switches.mute.target == 0.0,
        push_to_talk=live.options.push_to_talk,
        microphone=live.options.microphone,
        talking=switches.talk.target == 1.0,
        monitor=switches.monitor.target > 0.0,
        profiles=[] if plan.origin is None else list(plan.origin.profiles),
        active_profiles=[] if plan.origin is None else list(plan.origin.active_profiles),
        voice=plan.taken[0].voice if plan.taken else None,
        variant=live.variants.name if live.variants else None,
        params=live_params(live.session),
        messages=[message.text for message in log],
        log=log,
        advice=live.advice.update(overrun_advice(plan, timings, health.late, block_ms)),
        recording=None if recording is None else recording.path,
        take=live.takes.status(),
    )


def node_loads(plan: CompiledPlan, timings: Mapping[str, Timing]) -> list[NodeLoad]:
    """Compute time of each node; bypassed ones are listed, too."""
    loads = [
        NodeLoad(
            name=node.name,
            use=node.use,
            median_ms=timings[node.name].median_ms,
            p99_ms=timings[node.name].p99_ms,
        )
        for node in plan.nodes
    ]
    bypassed = (
        NodeLoad(name=n, use="", median_ms=0, p99_ms=0, bypassed=True) for n in plan.bypassed
    )
    return [*loads, *bypassed]


def live_latency(live: ReportedSession) -> LiveLatency:
    """Algorithmic, buffering, device and measured latency of a session."""
    loop, plan, card = live.loop, live.session.plan, live.card
    held = loop.constant_delay
    buffered = loop.compensation.reserve / card.output.rate
    if not card.one_clock:
        # Device latencies count from the first frame of a callback, the clocks from the last.
        # The difference cancels if input and output callbacks are equally long.
        buffered += (DriftResampler.delay + loop.playback.largest) / card.output.rate
        buffered -= loop.capture.largest / card.input.rate
    return LiveLatency(
        algorithmic_ms=1e3 * float(plan.latency.algorithmic),
        buffering_ms=1e3 * (float(plan.block) + buffered),
        device_ms=1e3 * (card.input.latency + card.output.latency),
        measured_ms=live.measured_ms,
        held_ms=None if held is None or held.held_s is None else 1e3 * held.held_s,
    )


def _drift_report(live: ReportedSession) -> DriftReport:
    compensation = live.loop.compensation
    drift = compensation.drift
    return DriftReport(
        one_clock=compensation.one_clock,
        drift_ppm=None if drift is None else 1e6 * drift,
        correction_ppm=1e6 * compensation.stretch,
        offset_ms=1e3 * compensation.error,
        realigned=compensation.realigned,
    )


def _end_report(end: OpenDevice, level: LevelMeter, lost: int) -> EndReport:
    return EndReport(
        device=end.name,
        rate_hz=end.rate,
        channels=end.channels,
        peak_db=decibels(level.peak),
        rms_db=decibels(level.rms),
        clipped=level.clipped,
        lost=lost,
    )


def live_params(session: Session) -> list[LiveParam]:
    """All live params in pipeline order, with current values and what a slider needs."""
    found = []
    for param in planned_live_params(session.plan):
        try:
            value = session.get(param.name)
        except StateError:  # the node was swapped for one without this param
            continue
        found.append(param.model_copy(update={"value": _plain(value)}))
    return found


def planned_live_params(plan: CompiledPlan) -> list[LiveParam]:
    """All live params in pipeline order, with the values that the plan begins with."""
    return [
        describe_param(f"{planned.name}.{field}", getattr(planned.params, field), schema)
        for planned in plan.nodes
        for field, schema in _live_schemas(type(planned.params)).items()
    ]


@cache
def _live_schemas(model: type[NodeParams]) -> dict[str, dict[str, Any]]:
    """JSON schemas of the live fields; cached, since the status is read ten times a second."""
    live = model.live_fields()
    properties = model.model_json_schema()["properties"] if live else {}
    return {name: properties[name] for name in model.model_fields if name in live}


def describe_param(name: str, value: Any, schema: dict[str, Any]) -> LiveParam:
    """A param with what a slider needs, from the JSON schema of its field."""
    parts = [schema, *schema.get("anyOf", [])]

    def first(*keys: str) -> Any:
        return next((part[key] for key in keys for part in parts if key in part), None)

    choices = first("enum")
    if first("type") == "boolean":
        choices = ["false", "true"]
    return LiveParam(
        name=name,
        value=_plain(value),
        minimum=first("minimum", "exclusiveMinimum"),
        maximum=first("maximum", "exclusiveMaximum"),
        choices=[str(choice) for choice in choices] if choices else None,
        unit=first("unit"),
        description=" ".join(schema.get("description", "").split()),
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
