"""F0 of a whole sound at once: a pipeline whose block is as long as the sound."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..pipeline import Pipeline, node

RATE = 16000
"""Sample rate that F0 estimators take, in Hz."""
FRAMES = 100
"""Frames a second that they give."""


def contour(sound: np.ndarray, estimator: str = "f0.dio") -> np.ndarray:
    """F0 in Hz, 0 where unvoiced: float32 ``[samples]`` at 16 kHz -> ``[frames]`` at 100 Hz.

    Frame ``k`` lies at ``k / 100`` seconds. This is for looking at: a live pipeline estimates F0
    from what has come so far, this sees all of the sound.
    """
    hop = RATE // FRAMES
    frames = -(-len(sound) // hop)
    padded = np.pad(sound.astype(np.float32), (0, frames * hop - len(sound)))
    pipeline = Pipeline(
        name="contour",
        block=Fraction(frames, FRAMES),
        input={"rate": RATE},
        nodes={"f0": node(estimator, "input", floor=50.0, ceiling=500.0)},
        output="f0",
    )
    with pipeline.session(warm_up=False) as session:
        return session.process(padded)
