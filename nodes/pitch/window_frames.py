"""Where the frames of a window lie."""

from __future__ import annotations

import math
from fractions import Fraction

from voicegraph.graph import Interval


def extend_to_whole_frames(interval: Interval, rate: Fraction) -> Interval:
    """The interval with its start moved back, so that it holds a whole number of frames.

    A window's frames sit on a grid that begins at its first value. Nodes that make or remember
    frames count them back from the end instead, which moves by exactly a block at each tick: so
    the grids of all of them agree, whatever odd length a consumer asks for.
    """
    count = math.ceil(interval.duration * rate)
    return Interval(interval.end - Fraction(count) / rate, interval.end)
