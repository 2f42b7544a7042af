"""F0 of an output, of its source, and of what a tracker said: on one grid of 10 ms."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..metric import TRUTH_HZ, Heard
from ..observers.contours import FRAMES_HZ
from ._sides import made_and_source

Reference = Literal["harvest+stonemask", "swift+stonemask", "dio+stonemask"]
TRUTH = "f0"
"""Name of the known F0 among what a condition knows."""


def observer_of(reference: Reference) -> str:
    """The observer of a tracker."""
    return f"f0.{reference.partition('+')[0]}"


def known_f0(heard: Heard, by: str) -> np.ndarray:
    """F0 of the source in Hz ``[frames]`` every 10 ms: as it is known, else as ``by`` hears it."""
    if (truth := heard.truth.get(TRUTH)) is not None:
        return on_grid(truth, heard.rates.get(TRUTH, TRUTH_HZ))
    return made_and_source(heard, by)[1]["f0"]


def on_grid(f0: np.ndarray, rate: float) -> np.ndarray:
    """A contour at another frame rate, at the nearest frames every 10 ms.

    Args:
        f0: Hz ``[frames]`` or ``[frames, 1]``, frame k at k / ``rate`` s; 0 where unvoiced.
        rate: frames a second.
    """
    flat = np.asarray(f0, np.float32).reshape(len(f0), -1)[:, 0]
    if not len(flat):
        return flat
    count = int(np.floor((len(flat) - 1) / rate * FRAMES_HZ)) + 1
    nearest = np.round(np.arange(count) * rate / FRAMES_HZ).astype(int)
    return flat[np.minimum(nearest, len(flat) - 1)]
