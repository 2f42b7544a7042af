"""Two variants at one loudness, so that the ear compares sound and not level.

Nobody says the same thing twice, so what is compared is the gain from input to output: the mean
power of what goes out over that of what goes in, while there is sound, each variant's own.
"""

from __future__ import annotations

import math

_HEARD_S = 2.0
"""Seconds of sound after which a variant's gain is trusted."""
_FORGETS_S = 20.0
"""What was heard counts for about so long."""
_SOUND = 10 ** (-50 / 10)
"""Power of the input from which on there is sound."""
_MOST_DB = 18.0


class GainMeter:
    """How much louder one variant is than its input."""

    def __init__(self) -> None:
        self.heard_s = 0.0
        self._input = self._output = 0.0

    def take(self, rms_in: float, rms_out: float, seconds: float) -> None:
        """Notes the levels of one block."""
        if rms_in * rms_in < _SOUND or not math.isfinite(rms_in + rms_out):
            return
        keep = math.exp(-seconds / _FORGETS_S)
        self._input = keep * self._input + rms_in * rms_in * seconds
        self._output = keep * self._output + rms_out * rms_out * seconds
        self.heard_s += seconds

    @property
    def gain_db(self) -> float | None:
        """In dB; None until enough was heard."""
        if self.heard_s < _HEARD_S or not self._output or not self._input:
            return None
        return 10 * math.log10(self._output / self._input)


def trim_db(reference: GainMeter, other: GainMeter) -> float:
    """What brings ``other`` to the loudness of ``reference``; 0 until both are known."""
    one, two = reference.gain_db, other.gain_db
    if one is None or two is None:
        return 0.0
    return min(max(one - two, -_MOST_DB), _MOST_DB)
