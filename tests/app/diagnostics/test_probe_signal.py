"""The test signal of a latency measurement."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.app.diagnostics._probe_signal import probe_signal


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_signal_is_finite_quiet_and_long_enough(rate: int) -> None:
    signal = probe_signal(rate)
    assert len(signal) == round(0.6 * rate)
    assert signal.dtype == np.float32
    assert np.abs(signal).max() == pytest.approx(0.4)
