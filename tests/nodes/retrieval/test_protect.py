"""``retrieval.protect``."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.intervals import Interval
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import PortSpec
from voicegraph.graph.signals import Features, Mask
from voicegraph.nodes.retrieval.protect import Protect, ProtectParams, frame_indices

from ...tolerance import assert_close, rounding

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("retrieval.protect")


def _spec(kind, start: Fraction, end: Fraction) -> PortSpec:
    span = Interval(start, end)
    return PortSpec(kind, span, span, True)


def _run(content, original, voiced, **params) -> np.ndarray:
    """Windows that begin together: features of 50 Hz and a mask of 100 Hz."""
    made = Protect()
    chosen = ProtectParams(**params)
    end = Fraction(voiced.shape[1], 100)
    features = Features(Fraction(50), content.shape[2])
    made.given = {
        "content": _spec(features, Fraction(0), end),
        "original": _spec(features, Fraction(0), end),
        "voiced": _spec(Mask(Fraction(100)), Fraction(0), end),
    }
    out = Features(Fraction(100), content.shape[2])
    made.asked = {"out": _spec(out, Fraction(0), end)}
    made.load(chosen, torch.device("cpu"), torch.float32)
    inputs = {"content": content, "original": original, "voiced": voiced}
    tensors = {name: torch.from_numpy(values) for name, values in inputs.items()}
    return made.process(tensors, chosen, None)["out"].numpy()


def _reference(content, original, voiced, protect: float) -> np.ndarray:
    """As RVC's offline path does it: double, cut, mix."""
    frames = voiced.shape[1]
    feats = content.repeat(2, axis=1)[:, :frames]
    feats0 = original.repeat(2, axis=1)[:, :frames]
    share = np.where(voiced > 0, 1.0, protect).astype(np.float32)[..., None]
    return feats * share + feats0 * (1 - share)


def _signals(frames: int, seed: int = 1, streams: int = 2, dim: int = 5):
    chance = np.random.default_rng(seed)
    shape = (streams, (frames + 1) // 2, dim)
    content, original = (chance.standard_normal(shape).astype(np.float32) for _ in range(2))
    voiced = (chance.random((streams, frames)) > 0.5).astype(np.float32)
    return content, original, voiced


@given(st.integers(1, 60), st.floats(0, 0.49), st.integers(0, 9))
def test_matches_the_reference(frames: int, protect: float, seed: int) -> None:
    signals = _signals(frames, seed)
    found = _run(*signals, protect=protect)
    assert_close(found, _reference(*signals, protect), rounding(8))


def test_voiced_frames_are_the_content_bit_for_bit() -> None:
    content, original, voiced = _signals(31)
    found = _run(content, original, voiced)
    doubled = content.repeat(2, axis=1)[:, :31]
    np.testing.assert_array_equal(found[voiced > 0], doubled[voiced > 0])


def test_protect_0_keeps_the_original_where_unvoiced() -> None:
    content, original, voiced = _signals(30)
    found = _run(content, original, voiced, protect=0.0)
    np.testing.assert_array_equal(found[voiced == 0], original.repeat(2, axis=1)[voiced == 0])


def test_one_half_switches_it_off() -> None:
    content, original, voiced = _signals(31)
    found = _run(content, original, voiced, protect=0.5)
    np.testing.assert_array_equal(found, content.repeat(2, axis=1)[:, :31])


def test_a_soft_mask_goes_from_one_to_the_other() -> None:
    content, original, _ = _signals(2)
    half = _run(content, original, np.full((2, 2), 0.5, np.float32), protect=0.2)
    ends = [_run(content, original, np.full((2, 2), v, np.float32), protect=0.2) for v in (0, 1)]
    assert_close(half, (ends[0] + ends[1]) / 2, rounding(8))


@given(
    st.fractions(-2, 0, max_denominator=1000),
    st.sampled_from([25, 50, 100, Fraction(16000, 320), Fraction(44100, 882), Fraction(86, 3)]),
    st.integers(1, 50),
    st.fractions(0, 1, max_denominator=100),
)
def test_the_frame_that_holds_is_found_exactly(start, rate, count, before) -> None:
    made = _spec(Mask(Fraction(100)), start, start + Fraction(count, 100))
    given_span = Interval(start - before, start + Fraction(count, 100))
    found = frame_indices(PortSpec(Mask(Fraction(rate)), given_span, given_span, True), made)
    for frame, place in enumerate(found.tolist()):
        time = start + Fraction(frame, 100) - given_span.start
        assert place <= time * Fraction(rate) < place + 1


def _pipeline(block: str, mask_rate: int = 100, original_dim: int = 6) -> Pipeline:
    nodes = {
        "content": node("io.vectors", rate=50, dim=6),
        "original": node("io.vectors", rate=50, dim=original_dim),
        "contour": node("io.contour", rate=mask_rate),
        "protect": node(
            "retrieval.protect",
            {"content": "content", "original": "original", "voiced": "contour.voiced"},
        ),
    }
    return Pipeline(block=block, input={"rate": 16000}, nodes=nodes, output="protect")


def test_streams_are_doubled_from_their_beginning() -> None:
    with _pipeline("60ms").session(2, warm_up=False) as session:
        for _ in range(5):
            found = session.process(
                np.zeros((2, 1, 960), np.float32), taps=["content", "original", "contour.voiced"]
            )
            content, original, voiced = session.taps.values()
            assert voiced.shape == (2, 6)
            expected = _reference(content, original, voiced, 0.33)
            assert_close(found, expected, rounding(8))


def test_the_original_must_be_as_wide_as_the_content() -> None:
    with pytest.raises(PipelineError, match=r"takes the same type as its `content` \(features 50"):
        _pipeline("60ms", original_dim=8).compile()


def test_protect_beyond_one_half_means_nothing() -> None:
    nodes = {
        "content": node("io.vectors"),
        "contour": node("io.contour"),
        "protect": node(
            "retrieval.protect",
            {"content": "content", "original": "content", "voiced": "contour.voiced"},
            protect=0.6,
        ),
    }
    keys = {"block": "60ms", "input": {"rate": 16000}, "output": "protect"}
    with pytest.raises(PipelineError, match=r"protect is 0\.6, expected at most 0\.5"):
        Pipeline(nodes=nodes, **keys).compile()
