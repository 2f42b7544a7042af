"""F0 by SwiftF0, as the evaluation hears it and voices learn it."""

from __future__ import annotations

import numpy as np

from voicegraph.experiments import observers
from voicegraph.graph.pipeline import Pipeline, node

RATE, SAMPLES = 16000, 32000


def _syllables() -> np.ndarray:
    """A voice of 140 Hz that begins and ends eight times in two seconds, in faint noise."""
    time = np.arange(SAMPLES) / RATE
    voice = np.sum([np.cos(2 * np.pi * 140 * k * time) / k for k in range(1, 12)], 0)
    loudness = np.clip(4 * np.sin(2 * np.pi * 4 * time), 0, 1)
    noise = 2e-3 * np.random.default_rng(1).standard_normal(SAMPLES)
    return (0.2 * loudness * voice + noise).astype(np.float32)


def test_voicing_is_that_of_the_node() -> None:
    sound = _syllables()
    params = {"floor": 60.0, "ceiling": 550.0, "context": "0ms", "refine": True}
    pipeline = Pipeline(
        block="2s",
        input={"rate": RATE, "channels": 1},
        nodes={"f0": node("f0.swift", "input", **params)},
        output="f0",
    )
    with pipeline.session(warm_up=False) as session:
        expected = session.process(sound)
    heard = observers.hear("f0.swift", sound, RATE).arrays["f0"][: len(expected)]
    assert 0.3 < (expected > 0).mean() < 0.7
    assert ((heard > 0) == (expected > 0)).all()
    np.testing.assert_allclose(heard, expected, rtol=1e-4)
