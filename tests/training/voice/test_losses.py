"""The spectral loss."""

from __future__ import annotations

import torch

from voicegraph.training.voice._losses import spectral_loss


def _noise(seed: int, scale: float = 0.1) -> torch.Tensor:
    return scale * torch.randn(2, 6000, generator=torch.Generator().manual_seed(seed))


def test_loss_ignores_phase() -> None:
    assert float(spectral_loss(_noise(1), _noise(1))) == 0
    assert float(spectral_loss(-_noise(1), _noise(1))) < 1e-5


def test_loss_of_doubled_amplitude_is_known() -> None:
    loss = float(spectral_loss(_noise(1, 2.0), _noise(1, 1.0)))
    assert abs(loss - (0.6931 + 0.5)) < 0.01


def test_gradient_at_silence_is_finite() -> None:
    made = torch.zeros(1, 6000, requires_grad=True)
    spectral_loss(made, _noise(1)[:1]).backward()
    assert made.grad is not None
    assert torch.isfinite(made.grad).all()
