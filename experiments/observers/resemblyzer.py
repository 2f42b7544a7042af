"""Speaker embeddings as the package Resemblyzer computes them: long pauses are cut out first.

Steps and constants are those of the package 0.1.4 (Apache-2.0), of which only the file of weights
is read: it would import librosa and numba.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import torch
from scipy.ndimage import binary_dilation

from ..metric import Need, NotMeasured, Observer
from ..packages import package_folder
from ..registry import observer
from ..task import Arrays
from ._mel_power import mel_power
from .ge2e import GE2E
from .speaker_network import FRAMES, SpeakerNetwork

_RATE, _HOP, _WINDOW, _MELS = 16000, 160, 400, 40
_FULL_SCALE = 2**15 - 1
_WEIGHTS = "pretrained.pt"
_LEVEL_DB = -30.0
"""Level to which quieter sounds are raised."""
_VAD_WINDOW = 30 * _RATE // 1000
_VAD_MODE, _AVERAGED, _LONGEST_PAUSE = 3, 8, 6
_STEP = round(_RATE / 1.3 / _HOP)
"""Frames from one window to the next: 1.3 windows a second."""
_LEAST_COVERED = 0.75


@observer(
    "speaker.resemblyzer",
    needs=(
        Need("resemblyzer", "resemblyzer", "==0.1.4", alone=True, weights=(_WEIGHTS,)),
        Need("webrtcvad-wheels", "webrtcvad"),
    ),
    licence="Apache-2.0 (Resemble.AI), MIT (py-webrtcvad)",
    heard=GE2E,
    source=(
        "L. Wan, Q. Wang, A. Papir, I. Lopez Moreno, Generalized end-to-end loss for speaker "
        "verification, ICASSP 2018; Resemblyzer 0.1.4."
    ),
)
class Resemblyzer(Observer):
    """Keeps ``vector`` ``[256]`` of length 1."""

    rate = _RATE

    def load(self) -> None:
        """Loads weights and the voice activity detector."""
        path = package_folder("resemblyzer") / _WEIGHTS
        held = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
        self._network = SpeakerNetwork().eval().requires_grad_(False)
        kept = {k: v for k, v in held.items() if k.startswith(("lstm.", "linear."))}
        self._network.load_state_dict(kept)
        self._vad: Any = importlib.import_module("webrtcvad")

    def observe(self, audio: np.ndarray) -> Arrays:
        """Embeds float32 ``[samples]``; there is no vector without speech."""
        speech = _without_pauses(_raised(audio), self._vad.Vad(mode=_VAD_MODE))
        if not len(speech):
            raise NotMeasured("there is no speech")
        starts = _starts(len(speech))
        needed = (starts[-1] + FRAMES) * _HOP
        padded = np.pad(speech, (0, max(0, needed - len(speech))))
        mel = torch.from_numpy(mel_power(padded, _WINDOW, _HOP, _MELS).astype(np.float32))
        with torch.inference_mode():
            found = self._network(torch.stack([mel[at : at + FRAMES] for at in starts]))
        mean = found.numpy().mean(0)
        return {"vector": mean / np.linalg.norm(mean)}


def _raised(audio: np.ndarray) -> np.ndarray:
    """Raises a quiet sound to -30 dB; ``[samples]``."""
    level = 20 * np.log10(np.sqrt(np.mean((audio * _FULL_SCALE) ** 2)) / _FULL_SCALE)
    return audio if level > _LEVEL_DB else audio * 10 ** ((_LEVEL_DB - level) / 20)


def _without_pauses(audio: np.ndarray, vad: Any) -> np.ndarray:
    """Shortens pauses to some 0.2 s."""
    audio = audio[: len(audio) - len(audio) % _VAD_WINDOW]
    # Samples beyond full scale would wrap around, from loudest to loudest with the other sign.
    samples = np.clip(np.round(audio * _FULL_SCALE), -_FULL_SCALE - 1, _FULL_SCALE)
    pieces = samples.astype("<i2").reshape(-1, _VAD_WINDOW)
    voiced = np.array([vad.is_speech(piece.tobytes(), _RATE) for piece in pieces], float)
    padded = np.pad(voiced, ((_AVERAGED - 1) // 2, _AVERAGED // 2))
    total = np.cumsum(np.insert(padded, 0, 0.0))
    share = (total[_AVERAGED:] - total[:-_AVERAGED]) / _AVERAGED
    wide: Any = binary_dilation(np.round(share).astype(bool), np.ones(_LONGEST_PAUSE + 1))
    return audio[np.repeat(np.asarray(wide, bool), _VAD_WINDOW)]


def _starts(samples: int) -> list[int]:
    """First frames of windows; the last one is left out if the sound covers too little of it."""
    frames = int(np.ceil((samples + 1) / _HOP))
    starts = list(range(0, max(1, frames - FRAMES + _STEP + 1), _STEP))
    covered = (samples - starts[-1] * _HOP) / (FRAMES * _HOP)
    return starts[:-1] if covered < _LEAST_COVERED and len(starts) > 1 else starts
