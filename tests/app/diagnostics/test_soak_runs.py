"""Soak tests: the report, and failures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voicegraph import Pipeline
from voicegraph.app.diagnostics._soak import bundled_speech
from voicegraph.app.diagnostics._soak_verdict import with_verdict
from voicegraph.app.diagnostics.soak_runs import (
    RecordingCard,
    SoakSettings,
    soak_devices,
    soak_freewheel,
)
from voicegraph.graph.live.devices.audio_backend import OpenDevice
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.live.setup import DeviceRequest, set_up_live
from voicegraph.graph.live.simulated_card import Simulation
from voicegraph.graph.pipeline import node
from voicegraph.schemas.live_health import LiveHealth
from voicegraph.schemas.soak_report import SoakLimits, SoakReport

from ...fake_sounddevice import FakeSoundDevice


def _pipeline(**nodes: Any) -> Pipeline:
    return Pipeline(
        block="50ms",
        input={"rate": 16000},
        nodes=nodes or {"pass": node("dsp.gain", "input")},
        output=next(reversed(nodes)) if nodes else "pass",
    )


def _soaked(seconds: float, drift: float = 0.0, cost: float = 0.001, **settings: Any) -> SoakReport:
    """With constant compute times: other programs of this machine must not decide."""
    with pytest.MonkeyPatch.context() as constant:
        constant.setattr(Simulation, "_compute_time", lambda self: cost)
        return soak_freewheel(_pipeline(), SoakSettings(seconds, **settings), drift, lambda _: None)


@pytest.fixture(scope="module")
def good() -> SoakReport:
    """Two minutes of audio."""
    return _soaked(120, drift=100.0)


def test_good_pipeline_passes_the_soak_test(good: SoakReport) -> None:
    assert (good.verdict, good.failures) == ("passed", [])
    assert (good.late, good.dropped, good.realigned) == (0, 0, 0)
    assert good.health.events == []
    assert good.blocks > 2300
    assert good.minutes == 2
    assert good.drift_ppm == pytest.approx(100, abs=8)
    assert good.worst_offset_ms < 2
    assert abs(good.latency_end_ms - good.latency_begin_ms) < 1
    assert abs(good.seam_db) < 3
    assert good.compute.median_ms < good.block_ms
    assert good.resident_mb is None or good.resident_mb > 10
    assert len(good.samples) == 24
    assert good.samples[-1].at_s == 120


def test_changes_during_the_test_are_counted() -> None:
    report = _soaked(40, swap_every_s=5.0, set_every_s=2.0)
    assert report.changes.swaps == 6  # none begins in the last ten seconds
    assert report.changes.swaps_refused == 0
    assert 17 <= report.changes.params_set <= 20
    assert report.failures == []


def test_constant_delay_is_held_in_the_soak_test() -> None:
    held = _soaked(30, drift=100.0, live=LiveOptions(delay_s=0.5))
    assert held.verdict == "passed"
    assert held.latency_begin_ms == pytest.approx(500, abs=2)
    assert held.latency_end_ms == pytest.approx(500, abs=2)


def test_slow_pipeline_fails_the_soak_test() -> None:
    """44 of 6,000 blocks late, 13 left out, devices dry 10 times is not a pass."""
    report = _soaked(20, cost=0.06)
    assert report.verdict == "failed"
    assert report.late > 0
    assert report.failures[0].startswith(f"{report.late} blocks were late, by up to ")
    assert report.failures[0].endswith("; none is allowed (--max-late 0)")
    assert f"{report.dropped} blocks were dropped; none is allowed" in report.failures[1]


def test_limits_allow_what_they_say(good: SoakReport) -> None:
    lossy = good.model_copy(
        update={"late": 44, "worst_late_ms": 9.0, "dropped": 13, "ran_dry": 10, "realigned": 2}
    )
    assert len(with_verdict(lossy).failures) == 4
    limits = SoakLimits(late=44, dropped=13, underruns=10, realigned=2)
    assert with_verdict(lossy.model_copy(update={"limits": limits})).verdict == "passed"
    limits = SoakLimits(late=43, dropped=13, underruns=9, realigned=2)
    assert with_verdict(lossy.model_copy(update={"limits": limits})).failures == [
        "44 blocks were late, by up to 9.0 ms; at most 43 are allowed (--max-late 43)",
        "10 device underruns or overflows; at most 9 are allowed (--max-underruns 9)",
    ]


def test_failed_nodes_and_lost_devices_fail_the_test(good: SoakReport) -> None:
    health = LiveHealth(
        node_faults={"f0": 2}, newest_fault="a bug", devices_lost=1, nonfinite_blocks=3
    )
    assert with_verdict(good.model_copy(update={"health": health})).failures == [
        "node f0 failed 2 times: a bug",
        "a device went away 1 times",
        "3 blocks held NaN or infinity",
    ]


def test_what_does_not_end_fails_the_soak_test(good: SoakReport) -> None:
    hung = good.model_copy(update={"unfinished": ["the engine"]})
    assert with_verdict(hung).failures == [
        "two seconds after the test this had not ended: the engine"
    ]


def test_growth_and_clicks_fail_the_soak_test(good: SoakReport) -> None:
    wrong = good.model_copy(
        update={"memory_grown_mb": 100.0, "memory_mb_per_hour_range": (2900.0, 3100.0),
                "latency_end_ms": good.latency_begin_ms + 30, "seam_db": 12.0}
    )  # fmt: skip
    assert len(with_verdict(wrong).failures) == 3
    chance = wrong.model_copy(update={"memory_mb_per_hour_range": (-100.0, 3100.0)})
    assert len(with_verdict(chance).failures) == 2
    silent = good.compute.model_copy(update={"median_ms": 0.0})
    assert with_verdict(good.model_copy(update={"compute": silent})).failures == [
        "no sound went through"
    ]


def test_nothing_measured_is_no_verdict(good: SoakReport) -> None:
    found = with_verdict(good.model_copy(update={"blocks": 0, "late": 3}))
    assert (found.verdict, found.failures) == ("nothing measured", [])


def test_session_on_devices_is_soaked(
    monkeypatch: pytest.MonkeyPatch, sound_system: FakeSoundDevice
) -> None:
    """The fake devices call nothing back: no verdict over nothing."""
    setup = set_up_live(_pipeline(), DeviceRequest(), DeviceRequest())
    report = soak_devices(setup, SoakSettings(0.05), False, lambda _: None)
    assert report.verdict == "nothing measured"


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
