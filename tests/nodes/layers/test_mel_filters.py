"""Triangular filters on the mel scale."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.nodes.layers.mel_filters import mel_filters

from ...tolerance import assert_close, share

FEW_BINS = share(0.05, "filters only a few bins wide are not quite of equal area")


@pytest.mark.parametrize("htk", [False, True])
def test_filters_cover_the_band_evenly(htk: bool) -> None:
    found = mel_filters(128, 30, 8000, htk=htk, fft=1024)
    assert found.shape == (128, 513)
    assert found.dtype == np.float32
    peaks = found.argmax(1)
    assert (np.diff(peaks) >= 0).all()
    # Of equal area, once they are wide enough to hold several bins of 15.6 Hz.
    assert_close(found[64:].sum(1) * 15.625, 1, FEW_BINS)


def test_the_scales_differ_below_1_khz() -> None:
    """Slaney's is linear there: as many filters a kilohertz all the way."""
    slaney = mel_filters(128, 0, 8000, htk=False, fft=1024)
    corners = slaney.argmax(1) * 15.625
    below = corners[(corners > 100) & (corners < 900)]
    assert_close(np.diff(below).mean(), 23.5, FEW_BINS)
