"""The network of DistillMOS: convolutions over a complex spectrogram, a transformer, a pool.

B. Stahl, H. Gamper, "Distillation and pruning for scalable self-supervised representation-based
speech quality assessment", ICASSP 2025. Architecture, names and constants are those of the package
distillmos 0.9.1 and, for the part behind the convolutions, of xls-r-sqa 0.1.0 (both MIT), whose
output this network has to rounding.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

SAMPLES = 122880
"""Samples at 16 kHz that the network takes: 7.68 s."""
_HOP, _WINDOW, _COMPRESSION, _SMALLEST = 160, 320, 0.3, 1e-12
_CHANNELS = (64, 64, 128, 256, 256, 256)
_BINS = 4
"""Frequency bins that the convolutions leave."""
_FRAMES, _WIDTH, _HEADS, _LAYERS = 384, 200, 8, 7


class DistillMos(nn.Module):
    """float32 ``[pieces, SAMPLES]`` -> scores ``[pieces]``, 1..5."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn = _Convolutions()
        self.transformer_pool_attn = _Judge(_CHANNELS[-1] * _BINS)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Scores pieces, each scaled to its own peak."""
        peak = audio.abs().amax(1, keepdim=True)
        return 1 + 4 * self.transformer_pool_attn(self.cnn(audio / (peak + 1e-8)))


class _Convolutions(nn.Module):
    """``[pieces, samples]`` -> ``[pieces, frames, features]``."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number, width in enumerate(_CHANNELS):
            given = 2 if number == 0 else _CHANNELS[number - 1]
            stride = (1 if number == 0 else 2, 2 if number == len(_CHANNELS) - 1 else 1)
            layers += [nn.Conv2d(given, width, (3, 3), stride, (0, 1)), nn.LeakyReLU(0.1)]
        self.cnn = nn.Sequential(*layers)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        spectrum = torch.view_as_real(self._spectrum(audio))
        size = spectrum.square().sum(-1, keepdim=True).sqrt().clip(_SMALLEST)
        compressed = size**_COMPRESSION * spectrum / size
        return self.cnn(compressed.permute(0, 3, 1, 2)).flatten(1, 2).transpose(1, 2)

    def _spectrum(self, audio: torch.Tensor) -> torch.Tensor:
        edge = (_WINDOW - _HOP) // 2
        padded = functional.pad(audio, (edge, edge), mode="reflect")
        window = torch.hann_window(_WINDOW)
        return torch.stft(padded, _WINDOW, _HOP, _WINDOW, window, center=False, return_complex=True)


class _Judge(nn.Module):
    """``[pieces, frames, features]`` -> ``[pieces]``, 0..1."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm_input = nn.BatchNorm1d(features)
        self.transformer = _Transformer(features)
        self.norm_trans = nn.BatchNorm1d(_WIDTH)
        self.pool = _Pool()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm_input(x.transpose(1, 2)).transpose(1, 2)
        x = self.norm_trans(self.transformer(x).transpose(1, 2)).transpose(1, 2)
        return self.pool(x).squeeze(-1).sigmoid()


class _Transformer(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(features)
        self.position_encoding = _Positions()
        self.linear_proj = nn.Linear(features, _WIDTH)
        layer = nn.TransformerEncoderLayer(_WIDTH, _HEADS, 2 * _WIDTH, 0.0, batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.linear_proj(self.norm(x.transpose(1, 2)).transpose(1, 2))
        return self.transformer_encoder(x + self.position_encoding.pe)


class _Positions(nn.Module):
    pe: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pe", torch.zeros(1, _FRAMES, _WIDTH))


class _Pool(nn.Module):
    """Attention over frames: ``[pieces, frames, width]`` -> ``[pieces, 1]``."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(_WIDTH, 2 * _WIDTH)
        self.linear2 = nn.Linear(2 * _WIDTH, 1)
        self.linear3 = nn.Linear(_WIDTH, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.linear2(self.linear1(x).relu()).transpose(1, 2).softmax(2)
        return self.linear3((weights @ x).squeeze(1))
