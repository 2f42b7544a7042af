"""A telephone line."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from voicegraph.experiments import conditions

RATE = 16000


@pytest.mark.parametrize("law", ["telephone", "telephone-a"])
def test_the_band_passes_and_the_rest_does_not(law: str) -> None:
    clip = 0.05 * np.random.default_rng(0).standard_normal(8 * RATE).astype(np.float32)
    name, params = conditions.ask({"line": law})
    made, _ = conditions.apply(name, params, clip, RATE, 1, "c")
    at, power = welch(made, RATE, nperseg=2048)
    inside = power[(at > 500) & (at < 3000)].mean()
    for low, high in ((0, 150), (4200, 8000)):
        outside = power[(at > low) & (at < high)].mean()
        assert 10 * np.log10(outside / inside) < -30
    assert np.mean(made**2) == pytest.approx(np.mean(clip**2), rel=1e-3)


def test_eight_bits_leave_their_noise_and_no_delay() -> None:
    time = np.arange(2 * RATE) / RATE
    tone = (0.1 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    name, params = conditions.ask({"line": "telephone"})
    made, _ = conditions.apply(name, params, tone, RATE, 1, "c")
    middle = slice(RATE // 2, -RATE // 2)
    difference = np.mean((made - tone)[middle] ** 2) / np.mean(tone[middle] ** 2)
    # G.711 reaches some 38 dB; a delay of one sample would leave 8 dB.
    assert -45 < 10 * np.log10(difference) < -30
