"""Clipping of a share of the samples."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments import conditions


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_the_share_lies_at_the_ceiling(share: float) -> None:
    clip = np.random.default_rng(0).standard_normal(20000).astype(np.float32)
    name, params = conditions.ask({"clipping": share})
    made, _ = conditions.apply(name, params, clip, 16000, 1, "c")
    assert np.mean(np.abs(made) >= np.abs(made).max()) == pytest.approx(share, abs=1e-3)
    below = np.abs(clip) < np.abs(made).max()
    np.testing.assert_array_equal(made[below], clip[below])
