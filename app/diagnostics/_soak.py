"""Soak test: checks for minutes or hours whether memory or delay grow, or block borders click."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from voicegraph.graph import machine
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.live.devices.audio_backend import OpenDevice
from voicegraph.graph.live.engine_loop import EngineLoop
from voicegraph.graph.metrics.benchmark import describe_machine
from voicegraph.graph.metrics.boundary_metric import BoundaryMetric
from voicegraph.graph.pipeline import Plan
from voicegraph.schemas.bench_report import CostReport
from voicegraph.schemas.soak_report import SoakReport

_WARM_UP = 0.1
"""Part of the time that is not evaluated: buffers fill, caches warm up."""
_MAX_GROWTH_MB = 20.0
"""Growth of memory from which on the test fails; allocators vary by less."""
_MAX_DELAY_GROWTH_MS = 5.0
_MAX_BOUNDARY_DB = 6.0

Tell = Callable[[str], None]


@dataclass(slots=True)
class SoakSample:
    """Memory in bytes and delay in ms at ``at`` seconds of audio."""

    at: float
    resident: int | None
    offset_ms: float
    latency_ms: float


@dataclass(slots=True)
class SoakMonitor:
    """Collects measurements while a loop runs.

    Args:
        loop: the loop to monitor.
        latency_ms: returns the declared latency of the loop.
    """

    loop: EngineLoop
    latency_ms: Callable[[], float]
    samples: list[SoakSample] = field(default_factory=list)
    compute: list[float] = field(default_factory=list)
    boundaries: BoundaryMetric = field(default_factory=BoundaryMetric)

    def __post_init__(self) -> None:
        self.loop.listeners.append(self._block)

    def _block(self, _: float, made: np.ndarray) -> None:
        self.compute.append(1e3 * self.loop.attribution.total_s)
        self.boundaries.take(made)

    def sample(self, at: float) -> None:
        """Measures memory and delay at ``at`` seconds of audio."""
        offset = 1e3 * self.loop.compensation.error
        latency = self.latency_ms() + offset
        self.samples.append(SoakSample(at, machine.resident_bytes(), offset, latency))


def build_report(
    monitor: SoakMonitor,
    plan: Plan,
    ends: tuple[OpenDevice, OpenDevice],
    *,
    seconds: float,
    wall_s: float,
    freewheel: bool,
) -> SoakReport:
    """The report of a soak test of so many ``seconds`` of audio."""
    loop = monitor.loop
    seen = [s for s in monitor.samples if s.at >= _WARM_UP * seconds] or monitor.samples
    slope = _slope(seen)
    times = np.asarray(monitor.compute or [0.0])
    middle, high, top = (float(v) for v in np.percentile(times, [50, 99, 100]))
    drift = loop.compensation.drift
    resident = seen[-1].resident
    report = SoakReport(
        pipeline=plan.name,
        machine=describe_machine(),
        threads=torch.get_num_threads(),
        input=f"{ends[0].name}, {ends[0].rate} Hz",
        output=f"{ends[1].name}, {ends[1].rate} Hz",
        freewheel=freewheel,
        block_ms=1e3 * float(plan.block),
        minutes=seconds / 60,
        wall_s=wall_s,
        compute=CostReport(median_ms=middle, p99_ms=high, max_ms=top),
        late=loop.counts.late,
        worst_late_ms=1e3 * loop.counts.worst_s,
        dropped=loop.counts.dropped,
        ran_dry=loop.playback.lost + loop.capture.lost,
        realigned=loop.compensation.realigned,
        drift_ppm=None if drift is None else 1e6 * drift,
        worst_offset_ms=max(abs(s.offset_ms) for s in seen),
        latency_begin_ms=seen[0].latency_ms,
        latency_end_ms=seen[-1].latency_ms,
        resident_mb=None if resident is None else resident / 1e6,
        memory_mb_per_hour=None if slope is None else 3600 * slope,
        memory_grown_mb=None if slope is None else slope * seconds,
        seam_db=monitor.boundaries.decibels,
        failures=[],
    )
    return report.model_copy(update={"failures": _failures(report)})


def _slope(seen: list[SoakSample]) -> float | None:
    """Growth of memory in MB a second, by least squares."""
    points = [(s.at, s.resident / 1e6) for s in seen if s.resident is not None]
    if len(points) < 3:
        return None
    at, size = np.asarray(points).T
    return float(np.polyfit(at - at[0], size, 1)[0])


def _failures(report: SoakReport) -> list[str]:
    found = []
    grown = report.memory_grown_mb
    if grown is not None and grown > _MAX_GROWTH_MB:
        found.append(f"memory grew by {grown:.0f} MB")
    grown_ms = report.latency_end_ms - report.latency_begin_ms
    if grown_ms > _MAX_DELAY_GROWTH_MS:
        found.append(f"the delay grew by {grown_ms:.1f} ms")
    if report.seam_db > _MAX_BOUNDARY_DB:
        found.append(f"borders of blocks stand out by {report.seam_db:.1f} dB")
    if not report.compute.median_ms:
        found.append("no sound went through")
    return found


def bundled_speech(kind: OpenDevice) -> np.ndarray:
    """The bundled recording at the rate of a device, float32 ``[N]``, with a second of silence."""
    from fractions import Fraction

    from voicegraph.graph.signals import Audio

    played = bundled_recording.speech(Audio(Fraction(kind.rate), 1))[0]
    return np.concatenate((played, np.zeros(kind.rate, np.float32)))
