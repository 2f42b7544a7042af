"""An estimate of the power of steady noise under speech, for each frequency bin."""

from __future__ import annotations

import numpy as np

_LOUDER = 10.0**1.5
"""Assumed ratio of speech to noise where there is speech: 15 dB."""
_ODDS, _DECAY = np.float32(1 + _LOUDER), np.float32(-_LOUDER / (1 + _LOUDER))
_NOISE_S = 0.072
_PRESENCE_S = 0.152
"""The paper's smoothing factors of 0.8 and 0.9 at frames 16 ms apart, as time constants."""
_STUCK = 0.95
"""Above this smoothed probability of presence there are no pauses: a steady sound began, or the
noise became louder. The paper uses 0.99. Noise that is 20 dB louder seldom reaches that, so the
estimate would take seconds to follow."""
_CERTAIN = np.float32(60)
"""Power over noise beyond which the probability is 1 in float32."""
_LEAST, _MOST = np.float32(1e-3), np.float32(1e8)
"""Limits of the ratios, so that their fourth powers stay normal float32 numbers."""
_LOWEST = np.float32(1e-12)
"""Power below which nothing counts as noise (-120 dB)."""
_KNOWN = 0.1
"""Share of a tone's power in its bins at which the gate closes; the gate also uses neighbours."""


class NoiseFloor:
    """Tracks the noise by the probability that a bin holds more than noise (speech presence).

    With power y, noise n and xi = 15 dB, the probability of presence is
    ``p = 1 / (1 + (1 + xi) exp(-y/n xi/(1 + xi)))``; the noise moves towards ``p n + (1 - p) y``.
    It follows falling noise at once. If p stays at 1, louder noise and a tone cannot be
    distinguished. Then p is limited, so that the estimate reaches a tenth of the power of a steady
    tone after ``settle``. The estimate follows rising noise of any level within 2 to 3 s. For
    Gaussian noise it is 1 dB below the power, since peaks count as presence.

    Source: T. Gerkmann and R. C. Hendriks, "Unbiased MMSE-based noise power estimation with low
    complexity and low tracking delay", IEEE TASLP 20(4), 2012.
    """

    lowest = float(_LOWEST)

    def __init__(self, hop: float, settle: float) -> None:
        """``hop``: seconds between frames; ``settle``: seconds until a steady tone is noise."""
        self.keep_noise = np.float32(np.exp(-hop / _NOISE_S))
        self.keep_presence = np.float32(np.exp(-hop / _PRESENCE_S))
        leak = _KNOWN * hop / settle / (1 - self.keep_noise)
        self.most = np.float32(max(1 - leak, 0.5))

    def update(self, power: np.ndarray, noise: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """One frame.

        Args:
            power: ``[streams, bins]``.
            noise: ``[streams, bins]``, the estimate so far; changed in place.
            presence: ``[streams, bins]``, smoothed probability of speech; changed in place.

        Returns:
            ``[streams, bins]``: power divided by the previous noise estimate, limited to 1e-3..1e8.
        """
        ratio = np.minimum(np.maximum(power / noise, _LEAST), _MOST)
        likely = 1 / (1 + _ODDS * np.exp(np.minimum(ratio, _CERTAIN) * _DECAY))
        presence += (1 - self.keep_presence) * (likely - presence)
        stuck = presence > _STUCK
        np.minimum(likely, self.most, out=likely, where=stuck)
        noise += (1 - self.keep_noise) * (1 - likely) * (power - noise)
        np.maximum(noise, _LOWEST, out=noise)
        return ratio
