"""Speaker embeddings by a small network: similar vectors for speech of one speaker.

Three LSTM layers over mel power, the last state projected and brought to length 1: L. Wan, Q. Wang,
A. Papir, I. Lopez Moreno, "Generalized end-to-end loss for speaker verification", ICASSP 2018.
Sizes, spectrum and weights are those of the package resemblyzer.
"""

from __future__ import annotations

import functools
import importlib.resources
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load
from torch import nn
from torch.nn import functional

from voicegraph.nodes.layers.mel_filters import mel_filters

RATE = 16000
"""Sample rate of its input, in Hz."""
_MODELS = Path(str(importlib.resources.files("voicegraph.pipelines"))) / "models"
WEIGHTS = _MODELS / "speaker.safetensors"
COMMON = "common"
"""Name of the mean embedding among the weights."""
FRAMES = 160
"""Frames of 10 ms in a window of 1.6 s, which has one embedding."""
STRIDE = 80
"""Frames from one window to the next."""
_WINDOW, _HOP, _MELS, _WIDTH, _LAYERS = 400, 160, 40, 256, 3
_LEVEL_DB = -30.0
"""Mean level to which audio is normalized, since the network takes uncompressed power."""
_AT_ONCE = 32


class SpeakerNetwork(nn.Module):
    """Audio to embeddings of length 1; their scalar product is the speaker similarity."""

    filters: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        bank = mel_filters(_MELS, 0, RATE / 2, htk=False, fft=_WINDOW)
        self.register_buffer("filters", torch.from_numpy(bank), persistent=False)
        self.lstm = nn.LSTM(_MELS, _WIDTH, _LAYERS, batch_first=True)
        self.linear = nn.Linear(_WIDTH, _WIDTH)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """Mel power ``[windows, frames, 40]`` -> ``[windows, 256]``."""
        _, (state, _) = self.lstm(mel)
        return functional.normalize(self.linear(state[-1]).relu(), dim=-1)

    def mel(self, audio: torch.Tensor) -> torch.Tensor:
        """float32 ``[samples]`` -> mel power ``[samples // 160 + 1, 40]``; frame k is at 160 k."""
        padded = functional.pad(audio, (_WINDOW // 2, _WINDOW // 2))
        window = torch.hann_window(_WINDOW)
        spectra = torch.fft.rfft(padded.unfold(0, _WINDOW, _HOP) * window)
        return (spectra.real.square() + spectra.imag.square()) @ self.filters.T

    def embed_windows(self, audio: torch.Tensor) -> torch.Tensor:
        """One embedding for each window of 1.6 s, 0.8 s apart, the last one at the end.

        Args:
            audio: float32 ``[samples]`` at 16 kHz; padded with silence to at least one window.

        Returns:
            ``[windows, 256]``, each of length 1.
        """
        level = 10 * torch.log10(audio.double().square().mean() + 1e-12)
        mel = self.mel(audio * float(10 ** ((_LEVEL_DB - level) / 20)))
        mel = functional.pad(mel, (0, 0, 0, max(0, FRAMES - len(mel))))
        starts = [*range(0, len(mel) - FRAMES, STRIDE), len(mel) - FRAMES]
        cut = torch.stack([mel[start : start + FRAMES] for start in starts])
        with torch.inference_mode():
            return torch.cat([self(part) for part in cut.split(_AT_ONCE)])


@functools.cache
def load_speaker_network() -> SpeakerNetwork:
    """The bundled network; loaded once a process."""
    network = SpeakerNetwork()
    network.load_state_dict({name: held for name, held in _held().items() if name != COMMON})
    return network.requires_grad_(False).eval()


@functools.cache
def mean_speaker_vector() -> np.ndarray:
    """Mean embedding of many speakers ``[256]``: what all speakers have in common."""
    return _held()[COMMON].numpy()


@functools.cache
def _held() -> dict[str, torch.Tensor]:
    return {name: tensor.float() for name, tensor in load(WEIGHTS.read_bytes()).items()}
