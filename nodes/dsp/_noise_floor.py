"""The power of steady noise under speech, bin by bin."""

from __future__ import annotations

import numpy as np

_LOUDER = 10.0**1.5
"""Speech, where there is some, is taken to be 15 dB over the noise."""
_ODDS, _DECAY = np.float32(1 + _LOUDER), np.float32(-_LOUDER / (1 + _LOUDER))
_NOISE_S = 0.072
_PRESENCE_S = 0.152
"""The paper's smoothing factors of 0.8 and 0.9 at frames 16 ms apart, as time constants."""
_STUCK = 0.95
"""Over this smoothed presence nothing pauses: a steady sound began, or noise became louder. The
paper has 0.99, which noise 20 dB louder seldom reaches, so that it takes seconds to be found."""
_CERTAIN = np.float32(60)
"""Power over noise beyond which the probability is 1 in float32."""
_LEAST, _MOST = np.float32(1e-3), np.float32(1e8)
"""Ratios are kept within these, so that their fourth powers stay normal float32."""
_LOWEST = np.float32(1e-12)
"""Power below which nothing counts as noise (-120 dB)."""
_KNOWN = 0.1
"""Share of a tone's power in its bins at which the gate, which looks at neighbours too, closes."""


class NoiseFloor:
    """Tracks noise by how likely each bin holds more than noise.

    With power y, noise n and xi = 15 dB, the probability of presence is
    ``p = 1 / (1 + (1 + xi) exp(-y/n xi/(1 + xi)))``; the noise moves towards ``p n + (1 - p) y``.
    It follows falling noise at once. Where p stays at 1, louder noise cannot be told from a tone:
    p is then limited, so that the estimate reaches a tenth of a steady tone after ``settle``. Noise
    that rises by any amount is found within 2 to 3 s. Of Gaussian noise the estimate reads 1 dB
    less than the power, since its peaks count as presence.

    Source: T. Gerkmann and R. C. Hendriks, "Unbiased MMSE-based noise power estimation with low
    complexity and low tracking delay", IEEE TASLP 20(4), 2012.
    """

    lowest = float(_LOWEST)

    def __init__(self, hop: float, settle: float) -> None:
        """``hop`` seconds between frames; ``settle`` seconds until a steady tone is noise."""
        self.keep_noise = np.float32(np.exp(-hop / _NOISE_S))
        self.keep_presence = np.float32(np.exp(-hop / _PRESENCE_S))
        leak = _KNOWN * hop / settle / (1 - self.keep_noise)
        self.most = np.float32(max(1 - leak, 0.5))

    def update(self, power: np.ndarray, noise: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """One frame.

        Args:
            power: ``[streams, bins]``.
            noise: ``[streams, bins]``, the estimate so far; changed in place.
            presence: ``[streams, bins]``, smoothed probability of more than noise; likewise.

        Returns:
            ``[streams, bins]``: the power over what the noise was taken to be, 1e-3 to 1e8.
        """
        ratio = np.minimum(np.maximum(power / noise, _LEAST), _MOST)
        likely = 1 / (1 + _ODDS * np.exp(np.minimum(ratio, _CERTAIN) * _DECAY))
        presence += (1 - self.keep_presence) * (likely - presence)
        stuck = presence > _STUCK
        np.minimum(likely, self.most, out=likely, where=stuck)
        noise += (1 - self.keep_noise) * (1 - likely) * (power - noise)
        np.maximum(noise, _LOWEST, out=noise)
        return ratio
