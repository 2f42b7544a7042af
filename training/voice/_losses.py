"""How far a synthesized piece is from what was said: spectra in several resolutions.

Source: R. Yamamoto, E. Song, J.-M. Kim, "Parallel WaveGAN", ICASSP 2020 (several resolutions).
"""

from __future__ import annotations

import torch

RESOLUTIONS = ((2048, 480), (1024, 240), (512, 120), (256, 60))
"""FFT sizes and hops, in samples at 24 kHz."""
_FLOOR = 1e-4


def spectral_loss(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean over resolutions of the log difference and half the relative difference of magnitudes.

    Args:
        made: ``[pieces, samples]``.
        wanted: the same shape.
    """
    terms = []
    for size, hop in RESOLUTIONS:
        ours, theirs = magnitude(made, size, hop), magnitude(wanted, size, hop)
        floor = _FLOOR * size**0.5
        logs = (torch.log(ours + floor) - torch.log(theirs + floor)).abs().mean()
        terms.append(logs + 0.5 * (ours - theirs).abs().sum() / theirs.sum().clamp_min(1e-6))
    return torch.stack(terms).mean()


def magnitude(audio: torch.Tensor, size: int, hop: int) -> torch.Tensor:
    """Magnitudes of a short-time spectrum: ``[pieces, samples]`` -> ``[pieces, bins, frames]``."""
    window = torch.hann_window(size, device=audio.device)
    spectrum = torch.stft(audio, size, hop, size, window, center=False, return_complex=True)
    # The root of a sum has no slope at 0.
    return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()
