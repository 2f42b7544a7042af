"""F0 to the bins of the pitch embedding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voicegraph.nodes.synth.pitch_bins import coarse_pitch

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference" / "coarse_pitch.npz"


def test_bins_are_the_references() -> None:
    expected = np.load(REFERENCE)
    found = coarse_pitch(torch.from_numpy(expected["f0"]))
    assert found.dtype is torch.int64
    np.testing.assert_array_equal(found.numpy(), expected["coarse"])


def test_ends_and_unvoiced() -> None:
    hertz = torch.tensor([[0.0, 50.0, 20.0], [1100.0, 4000.0, 51.0]])
    assert coarse_pitch(hertz).tolist() == [[1, 1, 1], [255, 255, 1]]


def test_what_was_never_estimated_is_bin_0() -> None:
    assert coarse_pitch(torch.tensor([-0.0, 0.0, 100.0])).tolist() == [0, 1, 20]


def test_bins_rise_with_f0() -> None:
    found = coarse_pitch(torch.linspace(50, 1100, 5000))
    assert (found.diff() >= 0).all()
    assert found.unique().tolist() == list(range(1, 256))
