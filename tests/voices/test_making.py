"""The steps together."""

from __future__ import annotations

import numpy as np

from voicegraph.voices import making


def test_held_out_are_evenly_spread() -> None:
    learned, held_out = making.divided(list(range(620)))
    assert len(held_out) == 30
    assert sorted(learned + held_out) == list(range(620))
    assert np.ptp(np.diff(held_out)) == 0
