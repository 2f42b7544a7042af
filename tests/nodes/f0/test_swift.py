"""``f0.swift``."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

swift_f0 = pytest.importorskip("swift_f0", reason='needs pip install "voicegraph[swift]"')

test_conformance = conformance.suite("f0.swift")

RATE = 16000


def _pipeline(block: str = "800ms", **params) -> Pipeline:
    return Pipeline(
        block=block,
        input={"rate": RATE, "channels": 1},
        nodes={"f0": node("f0.swift", "input", context="0ms", **params)},
        output="f0",
    )


def _voice() -> np.ndarray:
    """A glide that is loud, faint, loud."""
    time = np.arange(12800) / RATE
    phase = 2 * np.pi * np.cumsum(150 * 2 ** (time / 2)) / RATE
    audio = np.sum([np.cos(k * phase) / k for k in range(1, 10)], 0) * (
        0.1 + 0.09 * np.cos(time * 8)
    )
    return audio.astype(np.float32)


def test_every_eighth_frame_is_the_package_s_own() -> None:
    """Its frames come every 16 ms, ours every 10: each fifth of its lies on one of ours."""
    audio = _voice()
    own = swift_f0.SwiftF0(threads=1).detect(audio, RATE, 50.0, 1100.0)
    with _pipeline().session(warm_up=False) as session:
        found = session.process(audio)
    expected = np.where(own.confidence >= 0.5, own.pitch_hz, 0)[::5]
    np.testing.assert_allclose(found[::8], expected, rtol=1e-5)
    assert (found > 0).mean() > 0.8


def test_threshold_is_one_of_confidence() -> None:
    audio = _voice()
    own = swift_f0.SwiftF0(threads=1).detect(audio, RATE, 50.0, 1100.0)
    middle = float(np.median(own.confidence))
    with _pipeline(threshold=middle).session(warm_up=False) as session:
        voiced = (session.process(audio) > 0).mean()
    assert 0.3 < voiced < 0.7


@pytest.mark.parametrize(("floor", "ceiling"), [(100.0, 104.0), (30.0, 1100.0)])
def test_range_is_that_of_the_network(floor: float, ceiling: float) -> None:
    if ceiling == 104.0:
        with pytest.raises(PipelineError, match=r"steps of 4 %.*floor \(100 Hz\)"):
            _pipeline(floor=floor, ceiling=ceiling).compile()
    else:
        with _pipeline(floor=floor, ceiling=ceiling).session(warm_up=False) as session:
            assert session.process(_voice()).any()
