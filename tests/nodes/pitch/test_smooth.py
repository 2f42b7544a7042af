"""``pitch.smooth``."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.signal import medfilt

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.nodes.pitch.smooth import fold_octaves

from ...tolerance import FLOAT32, assert_close

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("pitch.smooth")


def _fold(pitch: list[float], voiced: list[float] | None = None, reach: int = 4) -> list[float]:
    """All frames, with silence around them."""
    padded = torch.nn.functional.pad(torch.tensor([pitch]), (reach, reach))
    mask = (padded > 0).float()
    if voiced is not None:
        mask = torch.nn.functional.pad(torch.tensor([voiced]), (reach, reach))
    return fold_octaves(padded, mask, reach, reach, 3.0)[0].tolist()


@pytest.mark.parametrize(("factor", "folded"), [(2.0, 1.0), (0.5, 1.0), (4.0, 1.0), (2.2, 1.1)])
def test_octave_errors_are_folded_back(factor: float, folded: float) -> None:
    pitch = [200.0] * 10
    pitch[4] = pitch[5] = 200 * factor
    expected = [200.0] * 4 + [200 * folded] * 2 + [200.0] * 4
    assert_close(_fold(pitch), expected, FLOAT32)


@pytest.mark.parametrize("factor", [1.2, 1.5, 0.7, 3.0])
def test_other_jumps_stay(factor: float) -> None:
    pitch = [200.0] * 4 + [200 * factor] + [200.0] * 4
    assert _fold(pitch) == pitch


def test_an_octave_that_lasts_stays() -> None:
    pitch = [150.0] * 12 + [300.0] * 12
    assert _fold(pitch) == pitch


def test_silence_is_left_alone_and_not_compared_with() -> None:
    pitch = [0, 0, 180, 180, 360, 180, 180, 0, 0.0]
    assert _fold(pitch) == [0, 0, 180, 180, 180, 180, 180, 0, 0]
    assert _fold([0.0] * 5) == [0.0] * 5


def test_filled_frames_do_not_count() -> None:
    pitch = [400.0, 400.0, 400.0, 200.0, 200.0, 400.0, 400.0, 400.0]
    voiced = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert _fold(pitch, voiced) == [200.0] * 8


def _session(**params):
    nodes = {"f0": node("io.contour"), "smooth": node("pitch.smooth", "f0", **params)}
    keys = {"block": "50ms", "input": {"rate": 16000}, "nodes": nodes, "output": "smooth"}
    return Pipeline(**keys).session(warm_up=False)


@pytest.mark.parametrize("width", [1, 3, 5, 7])
def test_median_is_that_of_the_whole(width: int) -> None:
    raw, smooth = [], []
    with _session(median=width, octave_guard=False) as session:
        for _ in range(20):
            smooth.append(session.process(np.zeros(800, np.float32), taps=["f0"]))
            raw.append(session.taps["f0"][0])
        behind = session.plan.latency_out
    assert behind == width // 2
    found = np.concatenate(smooth)[behind:]
    whole = medfilt(np.concatenate(raw), width)
    assert_close(found[10:-5], whole[10 : len(found) - 5], FLOAT32)
    assert (whole > 0).any()


def test_what_lies_ahead_is_latency() -> None:
    with _session(ahead="30ms", median=5) as session:
        planned = session.plan.find("smooth")
    taken, made = planned.given["pitch"].interval, planned.asked["pitch"].interval
    assert taken.end - made.end == Fraction(50, 1000)
    assert made.start - taken.start == Fraction(220, 1000)


def test_median_must_be_odd() -> None:
    with pytest.raises(PipelineError, match="median must be odd, found 4"):
        _session(median=4)
