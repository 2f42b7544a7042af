"""Log-mel spectra; their numbers are those of ``rmvpe.npz``, in ``test_rmvpe``."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voicegraph.nodes.f0.mel import LogMel, filters

from ...tolerance import assert_close, share


@pytest.mark.parametrize("htk", [False, True])
def test_filters_cover_the_band_evenly(htk: bool) -> None:
    found = filters(128, 30, 8000, htk=htk)
    assert found.shape == (128, 513)
    assert found.dtype == np.float32
    peaks = found.argmax(1)
    assert (np.diff(peaks) >= 0).all()
    # Of equal area, once they are wide enough to hold several bins of 15.6 Hz.
    assert_close(found[64:].sum(1) * 15.625, 1, FEW_BINS)


FEW_BINS = share(0.05, "filters only a few bins wide are not quite of equal area")


def test_the_scales_differ_below_1_khz() -> None:
    """Slaney's is linear there: as many filters a kilohertz all the way."""
    slaney = filters(128, 0, 8000, htk=False)
    corners = slaney.argmax(1) * 15.625
    below = corners[(corners > 100) & (corners < 900)]
    assert_close(np.diff(below).mean(), 23.5, FEW_BINS)


@pytest.mark.parametrize(("pad", "frames"), [(512, 31), (432, 30)])
def test_a_sine_is_loudest_in_its_band(pad: int, frames: int) -> None:
    bank = filters(128, 30, 8000, htk=True)
    time = torch.arange(4800) / 16000
    mel = LogMel(bank, pad)(torch.sin(2 * torch.pi * 1000 * time)[None])
    assert mel.shape == (1, 128, frames)
    assert (mel[0, :, 2:-2].argmax(0) == bank[:, 64].argmax()).all()  # 1000 Hz is bin 64
    assert mel.min() >= np.log(1e-5) - 1e-6
