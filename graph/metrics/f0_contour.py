"""F0 of a whole sound, by a pipeline with one block as long as the sound."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..pipeline import Pipeline, node

RATE = 16000
"""Sample rate that F0 estimators take, in Hz."""
FRAMES = 100
"""Frame rate of their output, in Hz."""


def contour(sound: np.ndarray, estimator: str = "f0.dio") -> np.ndarray:
    """F0 in Hz, 0 where unvoiced: float32 ``[samples]`` at 16 kHz -> ``[frames]`` at 100 Hz.

    Frame ``k`` is at ``k / 100`` seconds. The estimator sees the whole sound; in a live pipeline it
    sees only past input.
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
    with pipeline.session(warm_up=False, write_files=False) as session:
        return session.process(padded)
