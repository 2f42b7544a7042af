"""The span that RMVPE analyses: as many frames as its U-Net can halve five times."""

from __future__ import annotations

import math
from fractions import Fraction

from voicegraph.graph import Interval, Request
from voicegraph.nodes.f0.estimator import FRAMES_HZ
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames

UNET_FRAMES = 32
"""The U-Net halves the number of frames five times, so it works on multiples of 32."""
_STEP = Fraction(UNET_FRAMES, FRAMES_HZ)


def unet_span(before: Fraction, out: Request) -> Interval:
    """The output span whose analysed span, with its context, is 32 n frames less 10 ms, as in RVC.

    Args:
        before: audio that is analysed before the output, in seconds.
        out: what is requested.
    """
    context = Fraction(math.ceil(before * FRAMES_HZ), FRAMES_HZ)
    asked = extend_to_whole_frames(out.interval, Fraction(FRAMES_HZ)).duration
    used = extend_to_whole_frames(Interval(out.core.start, out.end), Fraction(FRAMES_HZ)).duration
    length = math.ceil((asked + context) / _STEP) * _STEP - Fraction(1, FRAMES_HZ)
    if length < used + context:
        length += _STEP
    return Interval(out.end - length + context, out.end)
