"""Soak test: checks for minutes or hours whether memory or delay grow, or block borders click."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from voicegraph.graph import machine
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.live.devices.audio_backend import OpenDevice
from voicegraph.graph.live.engine_loop import EngineLoop
from voicegraph.graph.live.health import build_health
from voicegraph.graph.metrics.benchmark import describe_machine
from voicegraph.graph.metrics.boundary_metric import BoundaryMetric
from voicegraph.graph.pipeline import Plan
from voicegraph.schemas.bench_report import CostReport
from voicegraph.schemas.soak_report import SoakChanges, SoakLimits, SoakPoint, SoakReport

from ._memory_slope import MemorySlope, memory_slope
from ._soak_verdict import with_verdict

_WARM_UP = 0.1
"""Part of the time that is not evaluated: buffers fill, caches warm up."""
_MOST_POINTS = 500
"""Samples of memory and delay in the report."""

Tell = Callable[[str], None]


@dataclass(slots=True)
class SoakSample:
    """Memory in bytes and delay in ms at ``at`` seconds of audio."""

    at: float
    resident: int | None
    offset_ms: float
    latency_ms: float


class SoakMonitor:
    """Collects measurements while a loop runs.

    Its own memory does not grow, since the growth of memory is what it measures.

    Args:
        loop: the loop to monitor.
        latency_ms: returns the declared latency of the loop.
        most_blocks: blocks whose times are kept; later ones are counted only.

    Attributes:
        blocks: blocks so far.
        samples: memory and delay so far.
        boundaries: the boundary metric so far.
    """

    def __init__(self, loop: EngineLoop, latency_ms: Callable[[], float], most_blocks: int) -> None:
        self.loop, self.latency_ms = loop, latency_ms
        self.blocks = 0
        self.samples: list[SoakSample] = []
        self.boundaries = BoundaryMetric()
        self._times_ms = np.full((2, max(most_blocks, 1)), -1.0)  # touched: it takes its memory now
        loop.listeners.append(self._block)

    @property
    def compute_ms(self) -> np.ndarray:
        """Compute times of the blocks so far in milliseconds; a zero before the first."""
        return self._times_ms[0, : self.blocks] if self.blocks else np.zeros(1)

    @property
    def cpu_ms(self) -> np.ndarray:
        """CPU times of the engine's thread, as ``compute_ms``."""
        return self._times_ms[1, : self.blocks] if self.blocks else np.zeros(1)

    def _block(self, _: float, made: np.ndarray) -> None:
        if self.blocks < self._times_ms.shape[1]:
            loop = self.loop
            self._times_ms[:, self.blocks] = 1e3 * loop.attribution.total_s, 1e3 * loop.cpu_s
        self.blocks += 1
        self.boundaries.take(made)

    def sample(self, at: float) -> None:
        """Measures memory and delay at ``at`` seconds of audio."""
        offset = 1e3 * self.loop.compensation.error
        latency = self.latency_ms() + offset
        self.samples.append(SoakSample(at, machine.resident_bytes(), offset, latency))


@dataclass(frozen=True, slots=True)
class SoakRun:
    """How a soak test was run.

    Attributes:
        seconds: of audio.
        wall_s: duration in seconds.
        freewheel: on simulated devices.
        limits: what is allowed.
        changes: what was changed.
        devices_lost: how often a device went away.
        unfinished: what had not ended two seconds after the test.
    """

    seconds: float
    wall_s: float
    freewheel: bool
    limits: SoakLimits
    changes: SoakChanges
    devices_lost: int = 0
    unfinished: tuple[str, ...] = ()


def build_report(
    monitor: SoakMonitor, plan: Plan, ends: tuple[OpenDevice, OpenDevice], run: SoakRun
) -> SoakReport:
    """The report of a soak test, with its verdict."""
    loop, seconds = monitor.loop, run.seconds
    seen = [s for s in monitor.samples if s.at >= _WARM_UP * seconds] or monitor.samples
    slope = _slope(seen)
    hourly = None if slope is None else 3600 * slope.value
    interval = None if slope is None else slope.interval
    drift = loop.compensation.drift
    health = build_health(loop, devices_lost=run.devices_lost)
    resident = seen[-1].resident
    report = SoakReport(
        pipeline=plan.name,
        machine=describe_machine(),
        threads=torch.get_num_threads(),
        setup=loop.session.setup,
        input=f"{ends[0].name}, {ends[0].rate} Hz",
        output=f"{ends[1].name}, {ends[1].rate} Hz",
        freewheel=run.freewheel,
        block_ms=1e3 * float(plan.block),
        blocks=monitor.blocks,
        minutes=seconds / 60,
        wall_s=run.wall_s,
        compute=_costs(monitor.compute_ms),
        cpu=_costs(monitor.cpu_ms),
        cpu_exceeded=int((monitor.cpu_ms > 1e3 * float(plan.block)).sum()),
        late=health.late.blocks,
        worst_late_ms=health.late.worst_ms,
        dropped=health.late.dropped,
        ran_dry=health.underruns + health.overflows,
        realigned=health.realigned,
        drift_ppm=None if drift is None else 1e6 * drift,
        worst_offset_ms=max(abs(s.offset_ms) for s in seen),
        latency_begin_ms=seen[0].latency_ms,
        latency_end_ms=seen[-1].latency_ms,
        resident_mb=None if resident is None else resident / 1e6,
        memory_mb_per_hour=hourly,
        memory_mb_per_hour_range=interval and (3600 * interval[0], 3600 * interval[1]),
        memory_grown_mb=None if slope is None else slope.value * seconds,
        seam_db=monitor.boundaries.decibels,
        changes=run.changes,
        health=health,
        unfinished=list(run.unfinished),
        limits=run.limits,
        samples=_points(monitor.samples),
        verdict="passed",
        failures=[],
    )
    return with_verdict(report)


def _costs(times_ms: np.ndarray) -> CostReport:
    middle, high, top = (float(value) for value in np.percentile(times_ms, [50, 99, 100]))
    return CostReport(median_ms=middle, p99_ms=high, max_ms=top)


def _slope(seen: list[SoakSample]) -> MemorySlope | None:
    """Growth of memory in MB a second."""
    known = [(s.at, s.resident / 1e6) for s in seen if s.resident is not None]
    return memory_slope([at for at, _ in known], [size for _, size in known])


def _points(samples: list[SoakSample]) -> list[SoakPoint]:
    step = -(-len(samples) // _MOST_POINTS) or 1
    return [
        SoakPoint(
            at_s=round(s.at, 3),
            resident_mb=None if s.resident is None else round(s.resident / 1e6, 3),
            latency_ms=round(s.latency_ms, 4),
            offset_ms=round(s.offset_ms, 4),
        )
        for s in samples[::step]
    ]


def bundled_speech(kind: OpenDevice) -> np.ndarray:
    """The bundled recording at the rate of a device, float32 ``[N]``, with a second of silence."""
    from fractions import Fraction

    from voicegraph.graph.signals import Audio

    played = bundled_recording.speech(Audio(Fraction(kind.rate), 1))[0]
    return np.concatenate((played, np.zeros(kind.rate, np.float32)))
