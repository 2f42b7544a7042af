"""The frame grid of windows."""

from __future__ import annotations

import math
from fractions import Fraction

from voicegraph.graph import Interval


def extend_to_whole_frames(interval: Interval, rate: Fraction) -> Interval:
    """The interval with its start moved back to a whole number of frames.

    The frame grid of a window begins at its first value. Nodes that compute or store frames count
    them from the end, which moves by exactly one block at each tick. So their grids agree, whatever
    length a consumer requests.

    Args:
        interval: in seconds.
        rate: frames a second.
    """
    count = math.ceil(interval.duration * rate)
    return Interval(interval.end - Fraction(count) / rate, interval.end)
