"""The level of an input; tests/sound has it of a real one."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph.live.devices.level_meter import LevelMeter


def test_peak_and_rms_since_the_last_look() -> None:
    meter = LevelMeter()
    assert meter.take() is None
    meter.add(np.full((100, 2), 0.5, np.float32))
    meter.add(np.zeros((100, 2), np.float32))
    assert meter.take() == pytest.approx((-6.0206, -9.0309), abs=1e-3)
    meter.add(np.zeros((10, 1), np.float32))
    assert meter.take() == (-120, -120)


def test_values_that_are_no_numbers_count_as_silence() -> None:
    meter = LevelMeter()
    meter.add(np.array([[np.nan], [0.25]], np.float32))
    peak, _ = meter.take() or (0, 0)
    assert peak == pytest.approx(-12.0412, abs=1e-3)
