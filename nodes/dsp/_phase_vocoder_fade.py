"""Crossfades two signals of equal frequencies and other phases, by a phase vocoder."""

from __future__ import annotations

import math

import torch

_NODES = 10
"""Moments at which phases are computed exactly. Between them they are interpolated: a turn by half
a circle with an error of 1e-7."""


class PhaseVocoderFade:
    """Crossfade in which each frequency glides from the phase of one signal to that of the other.

    Where two signals of one frequency are out of phase, their weighted sum is quieter in the middle
    of a crossfade. With ``p`` the fade-in, the sum of both has the weights ``(1 - p)^2`` and
    ``p^2`` here, and the part between, ``2 p (1 - p)``, is made of sinusoids: one for each bin of
    the spectra of both signals under the window ``sqrt(p (1 - p))``, with the mean of both
    magnitudes, whose phase goes from that of the first to that of the second, linearly and by the
    shorter way.
    Two equal signals come out unchanged.

    Source: J. Laroche and M. Dolson, "Improved phase vocoder time-scale modification of audio",
    IEEE Trans. Speech and Audio Processing 7(3), 1999 (sinusoids from bins and phase differences);
    R. J. McAulay and T. F. Quatieri, "Speech analysis/synthesis based on a sinusoidal
    representation", IEEE Trans. ASSP 34(4), 1986 (interpolated phases). The sums over bins are done
    by inverse FFTs at a few moments, and interpolated by polynomials: a sum of cosines for each
    sample takes some hundred times as long.
    """

    def __init__(self, fade_in: torch.Tensor) -> None:
        """A crossfade by ``fade_in`` ``[samples]``, which rises from 0 to 1."""
        self._size = fade_in.shape[0]
        self._in, self._out = fade_in**2, (1 - fade_in) ** 2
        self._window = torch.sqrt((fade_in * (1 - fade_in)).clamp_min(0))
        nodes = (2 * torch.arange(_NODES, dtype=torch.float64) + 1) * math.pi / (2 * _NODES)
        moments = (1 - torch.cos(nodes)) / 2  # Chebyshev's, within 0..1
        time = torch.arange(self._size, dtype=torch.float64) / self._size
        weights = _lagrange(moments, time) * self._window.double().cpu()
        self._moments = moments.to(fade_in)[:, None]
        self._weights = weights.to(fade_in)

    def __call__(self, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """From ``before`` to ``after``, all ``[streams, channels, samples]``."""
        first = torch.fft.rfft(before * self._window)
        second = torch.fft.rfft(after * self._window)
        magnitude = first.abs() + second.abs()
        turn = torch.angle(second * first.conj())
        phase = torch.angle(first)[:, :, None] + turn[:, :, None] * self._moments
        bins = torch.polar(magnitude[:, :, None].expand_as(phase).contiguous(), phase)
        between = torch.fft.irfft(bins, self._size)
        return before * self._out + after * self._in + (between * self._weights).sum(2)


def _lagrange(nodes: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Weights that interpolate values at ``nodes`` ``[n]``: ``[n, len(at)]``."""
    rows = []
    for k, node in enumerate(nodes):
        others = torch.cat((nodes[:k], nodes[k + 1 :]))
        rows.append(((at[:, None] - others) / (node - others)).prod(1))
    return torch.stack(rows)
