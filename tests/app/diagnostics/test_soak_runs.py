"""Soak tests: the report, and failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voicegraph import Pipeline
from voicegraph.app.diagnostics._soak import bundled_speech
from voicegraph.app.diagnostics.soak_runs import RecordingCard, soak_freewheel
from voicegraph.graph.live.devices.audio_backend import OpenDevice
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.pipeline import node
from voicegraph.schemas.soak_report import SoakReport

OPTIONS = LiveOptions()


def _soaked(seconds: float, drift: float = 0.0, **nodes: Any) -> SoakReport:
    pipeline = Pipeline(
        block="50ms",
        input={"rate": 16000},
        nodes=nodes or {"pass": node("dsp.gain", "input")},
        output=next(reversed(nodes)) if nodes else "pass",
    )
    return soak_freewheel(pipeline, OPTIONS, seconds, drift, lambda _: None)


def test_good_pipeline_passes_the_soak_test() -> None:
    report = _soaked(120, drift=100.0)
    assert report.failures == []
    assert (report.late, report.dropped, report.realigned) == (0, 0, 0)
    assert report.minutes == 2
    assert report.drift_ppm == pytest.approx(100, abs=8)
    assert report.worst_offset_ms < 2
    assert abs(report.latency_end_ms - report.latency_begin_ms) < 1
    assert abs(report.seam_db) < 3
    assert report.compute.max_ms < report.block_ms
    assert report.resident_mb is None or report.resident_mb > 10


def test_growth_and_clicks_fail_the_soak_test() -> None:
    from voicegraph.app.diagnostics import _soak as soak

    report = _soaked(5)
    wrong = report.model_copy(
        update={"memory_grown_mb": 100.0, "latency_end_ms": report.latency_begin_ms + 30,
                "seam_db": 12.0}
    )  # fmt: skip
    assert len(soak._failures(wrong)) == 3
    silent = report.compute.model_copy(update={"median_ms": 0.0})
    assert soak._failures(report.model_copy(update={"compute": silent})) == [
        "no sound went through"
    ]


def test_memory_slope_by_least_squares() -> None:
    from voicegraph.app.diagnostics._soak import SoakSample, _slope

    grown = [SoakSample(at=t, resident=10**8 + 2_000_000 * t, offset_ms=0, latency_ms=0)
             for t in range(10)]  # fmt: skip
    assert _slope(grown) == pytest.approx(2.0)
    assert _slope(grown[:2]) is None
    assert _slope([SoakSample(0, None, 0, 0)] * 5) is None


class _Card:
    """Calls each callback once."""

    def __init__(self) -> None:
        self.input = self.output = OpenDevice("fake", 16000, 2, 0.0)
        self.one_clock = True
        self.lost = None
        self.stopped = False

    def start(self, capture: Any, play: Any) -> None:
        for _ in range(3):
            capture(np.full((100, 2), 9.0, np.float32), 0.0, False)

    def stop(self) -> None:
        self.stopped = True

    def reopen(self) -> bool:
        return True


def test_recording_replaces_the_microphone() -> None:
    recording = np.arange(250, dtype=np.float32)
    card = RecordingCard(_Card(), recording)
    heard: list[np.ndarray] = []
    card.start(lambda frames, when, lost: heard.append(frames.copy()), lambda *_: None)
    everything = np.concatenate(heard)
    assert np.array_equal(everything[:, 0], np.arange(300) % 250)
    assert np.array_equal(everything[:, 0], everything[:, 1])
    assert (card.lost, card.reopen()) == (None, True)
    card.stop()
    assert card._card.stopped  # pyright: ignore[reportAttributeAccessIssue]


def test_bundled_speech_has_the_device_rate() -> None:
    played = bundled_speech(OpenDevice("fake", 44100, 2, 0.0))
    assert played.ndim == 1
    assert 8 * 44100 < len(played) < 11 * 44100
    assert not played[-44100:].any()
