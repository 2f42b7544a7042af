"""Log-mel spectra; their numbers are those of ``rmvpe.npz``, in ``test_rmvpe``."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voicegraph.nodes.f0.mel import FFT, LogMel
from voicegraph.nodes.layers.mel_filters import mel_filters


@pytest.mark.parametrize(("pad", "frames"), [(512, 31), (432, 30)])
def test_a_sine_is_loudest_in_its_band(pad: int, frames: int) -> None:
    bank = mel_filters(128, 30, 8000, htk=True, fft=FFT)
    time = torch.arange(4800) / 16000
    mel = LogMel(bank, pad)(torch.sin(2 * torch.pi * 1000 * time)[None])
    assert mel.shape == (1, 128, frames)
    assert (mel[0, :, 2:-2].argmax(0) == bank[:, 64].argmax()).all()  # 1000 Hz is bin 64
    assert mel.min() >= np.log(1e-5) - 1e-6
