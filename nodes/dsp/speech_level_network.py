"""The network of ``dsp.speech_level``: how much of a sound's power is direct speech.

A recurrent network hears the levels of 32 bands, one frame every 10 ms, and gives the share of the
power that is speech, without noise and without the reverberation of the room.

Source: a mask over time from noisy spectra by a recurrent network, as in J.-M. Valin, "A hybrid
DSP/deep learning approach to real-time full-band speech enhancement", MMSP 2018, with a single
band; bands by S. S. Stevens, J. Volkmann and E. B. Newman, "A scale for the measurement of the
psychological magnitude pitch", JASA 8, 1937, in the formula of D. O'Shaughnessy, 1987.
"""

from __future__ import annotations

import copy
import math
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from voicegraph.graph.files.models import Archive, load_state, open_archive
from voicegraph.nodes.dsp.hann_power import window_samples
from voicegraph.nodes.layers.form import PLAIN_FLOAT32
from voicegraph.nodes.layers.mel_filters import mel_filters
from voicegraph.nodes.layers.network import Network, load_network
from voicegraph.nodes.layers.spectrum import PortablePowerSpectrum, PowerSpectrum

RATE, HOP = 16000, 160
"""Sample rate in Hz, and samples from frame to frame."""
WINDOW = window_samples(Fraction(RATE))
"""Samples of a frame, of which half lie before its centre."""
AHEAD = (1, 5)
"""Frames that the network hears after the frame whose share it gives: it has an output for each."""
WEIGHTS = Path(__file__).resolve().parents[2] / "pipelines" / "models" / "speech-level.safetensors"
BANDS, HIDDEN = 32, 96
_INNER = 64
_FFT = 512
"""Points of the transform: the frame and zeros."""
_LOWEST_HZ = 50.0
_TINY = 1e-12
_SOUNDS_DB = -90.0
"""Quieter frames are digital silence, and do not move the mean."""
_MEMORY = 300
"""Frames of the mean to which levels are relative: 3 s."""
_RANGE_DB = (-60.0, 40.0)
_UNIT_DB = 20.0
_SOFT_DB = 6.0
"""The share falls by this in dB for each unit of the output below 0."""


class Memory(NamedTuple):
    """What the network remembers of streams.

    Attributes:
        hidden: float32 ``[streams, 96]``, of the recurrent layer.
        total: float64 ``[streams]``, sum of the levels that sounded, in dB, older ones weighing
            less.
        weight: float64 ``[streams]``, sum of their weights.
    """

    hidden: torch.Tensor
    total: torch.Tensor
    weight: torch.Tensor

    @classmethod
    def empty(cls, streams: int) -> Memory:
        """Before anything was heard."""
        zero = torch.zeros(streams, dtype=torch.float64)
        return cls(torch.zeros(streams, HIDDEN), zero, zero.clone())


class SpeechLevelNetwork(Network):
    """Levels of bands to shares of speech; on the CPU."""

    bands: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.spectrum: nn.Module = PowerSpectrum(WINDOW, _FFT)
        self.inner = nn.Linear(BANDS, _INNER)
        self.recurrent = nn.GRU(_INNER, HIDDEN, batch_first=True)
        self.share = nn.Linear(HIDDEN, len(AHEAD))
        bands = mel_filters(BANDS, _LOWEST_HZ, RATE / 2, htk=True, fft=_FFT)
        self.register_buffer("bands", torch.from_numpy(bands.T.copy()), persistent=False)

    def portable(self) -> SpeechLevelNetwork:
        """The same in real arithmetic, for exported networks."""
        made = copy.deepcopy(self)
        made.spectrum = PortablePowerSpectrum(PowerSpectrum(WINDOW, _FFT))
        return made

    def levels(self, frames: torch.Tensor) -> torch.Tensor:
        """Levels of the bands in dB.

        Args:
            frames: float32 ``[streams, frames, 400]``, samples around the centre of each frame.

        Returns:
            ``[streams, frames, 32]``.
        """
        return 10 * torch.log10(self.spectrum(frames) @ self.bands + _TINY)

    def forward(
        self, levels: torch.Tensor, level: torch.Tensor, memory: Memory
    ) -> tuple[torch.Tensor, Memory]:
        """Shares of speech in earlier frames.

        Args:
            levels: of the bands, dB ``[streams, frames, 32]``.
            level: of all bands, dB ``[streams, frames]``.
            memory: from the frames before.

        Returns:
            dB ``[streams, frames, 2]``, 0 or less, and what is remembered. Entry ``k`` has the
            shares of the frames ``k - 1`` and ``k - 5``.
        """
        mean, total, weight = _running_mean(level.double(), memory)
        near = (levels - mean[..., None].float()).clamp(*_RANGE_DB) / _UNIT_DB
        made, hidden = self.recurrent(torch.tanh(self.inner(near)), memory.hidden[None])
        share = -_SOFT_DB * functional.softplus(-self.share(made))
        return share, Memory(hidden[0], total, weight)


def _running_mean(
    level: torch.Tensor, memory: Memory
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean level of what sounded so far, ``[streams, frames]``, and its sums at the end."""
    keep, total, weight = math.exp(-1 / _MEMORY), memory.total, memory.weight
    sounds, made = level > _SOUNDS_DB, []
    for k in range(level.shape[1]):
        total = torch.where(sounds[:, k], keep * total + level[:, k], total)
        weight = torch.where(sounds[:, k], keep * weight + 1, weight)
        made.append(total / weight.clamp_min(1))
    return torch.stack(made, 1), total, weight


def build_speech_level(archive: Archive) -> SpeechLevelNetwork:
    """The plain network from the file of its weights.

    Raises:
        WeightsError: if the file is damaged.
    """
    network = SpeechLevelNetwork()
    weights = archive.read(archive.tensors)
    load_state(network, weights, archive.path, "the network of dsp.speech_level")
    return network


def load_speech_level() -> SpeechLevelNetwork:
    """The bundled network; one a process.

    Raises:
        WeightsError: if the file of its weights is missing or damaged.
    """
    archive = open_archive(WEIGHTS)
    return load_network(
        SpeechLevelNetwork,
        archive,
        lambda: build_speech_level(archive),
        torch.device("cpu"),
        PLAIN_FLOAT32,
    )
