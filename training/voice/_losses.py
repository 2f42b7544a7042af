"""Multi-resolution spectral loss between synthesized and recorded speech.

Source: R. Yamamoto, E. Song, J.-M. Kim, "Parallel WaveGAN", ICASSP 2020 (several resolutions).
"""

from __future__ import annotations

import torch

RESOLUTIONS = ((2048, 480), (1024, 240), (512, 120), (256, 60))
"""FFT sizes and hops, in samples at 24 kHz."""
_FLOOR = 1e-4


def spectral_loss(made: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Log difference plus half the relative difference of magnitudes, averaged over resolutions.

    Args:
        made: synthesized audio ``[pieces, samples]``.
        wanted: recorded audio, the same shape.
    """
    terms = []
    for size, hop in RESOLUTIONS:
        ours, theirs = magnitude(made, size, hop), magnitude(wanted, size, hop)
        floor = _FLOOR * size**0.5
        logs = (torch.log(ours + floor) - torch.log(theirs + floor)).abs().mean()
        terms.append(logs + 0.5 * (ours - theirs).abs().sum() / theirs.sum().clamp_min(1e-6))
    return torch.stack(terms).mean()


def magnitude(audio: torch.Tensor, size: int, hop: int) -> torch.Tensor:
    """Magnitude spectrogram: ``[pieces, samples]`` -> ``[pieces, bins, frames]``."""
    window = torch.hann_window(size, device=audio.device)
    spectrum = torch.stft(audio, size, hop, size, window, center=False, return_complex=True)
    # The added constant keeps the gradient of the root finite at 0.
    return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()
