"""``f0.swift``."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.nodes.f0.swift_network import SwiftDetector, load_swift

from ...tolerance import EXPORTED, TENTH_OF_A_CENT, assert_close
from ..exported import exported

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("f0.swift", slow=("growth",))

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
    """Its frames come every 16 ms, ours every 10: each fifth of its lies on one of ours.

    In noise, since between the harmonics of a clean sum there are only errors of rounding, of which
    the network hears the logarithm.
    """
    noise = np.random.default_rng(2).standard_normal(12800).astype(np.float32)
    audio = _voice() + 1e-3 * noise
    swift_f0 = pytest.importorskip("swift_f0", reason="compares with pip install swift-f0")
    own = swift_f0.SwiftF0(threads=1).detect(audio, RATE, 50.0, 1100.0)
    with _pipeline().session(warm_up=False) as session:
        found = session.process(audio)
    expected = np.where(own.confidence >= 0.5, own.pitch_hz, 0)[::5]
    assert_close(found[::8], expected, TENTH_OF_A_CENT)
    assert (found > 0).mean() > 0.8


def test_threshold_is_one_of_confidence() -> None:
    audio = _voice()
    detector = SwiftDetector(load_swift(), 50.0, 1100.0)
    middle = float(detector.whole(torch.from_numpy(audio))[1].median())
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


def _joined(audio: np.ndarray, **params) -> tuple[np.ndarray, int]:
    """F0 in blocks of 40 ms, each frame as it was first estimated, and how late it is in frames."""
    pipeline = Pipeline(
        block="40ms",
        input={"rate": RATE, "channels": 1},
        nodes={
            "f0": node("f0.swift", "input", **params),
            "pitch": node("pitch.cache", "f0", look="0ms", drop_front=0),
        },
        output="pitch",
    )
    plan = pipeline.compile()
    with plan.session(warm_up=False) as session:
        found = np.concatenate([session.push(audio), session.flush()])
    return found[plan.latency_out :], plan.latency_out


def test_lookahead_is_latency_and_finds_where_the_voice_begins_and_ends() -> None:
    audio = np.concatenate([_voice() * 0, _voice(), _voice() * 0])
    audio += 1e-3 * np.random.default_rng(1).standard_normal(len(audio)).astype(np.float32)
    found, late = _joined(audio, lookahead="60ms")
    assert late == 6
    assert _joined(audio, lookahead="55ms")[1] == 6
    at_once, late = _joined(audio)
    assert late == 0
    with _pipeline(f"{len(audio) // 16}ms").session(warm_up=False) as session:
        whole = session.process(audio) > 0

    def agreement(f0: np.ndarray) -> float:
        count = min(len(f0), len(whole))
        return float(((f0[:count] > 0) == whole[:count]).mean())

    assert agreement(found) > 0.95
    assert agreement(at_once) < agreement(found)


def test_refined_it_is_right_within_a_few_cents() -> None:
    audio = _voice()
    true = 150 * 2 ** (np.arange(80) / 200)
    off = []
    for refine in (False, True):
        with _pipeline(refine=refine).session(warm_up=False) as session:
            found = session.process(audio)[10:70]
        off.append(np.abs(1200 * np.log2(found / true[10:70])).mean())
    assert off[1] < 3
    assert off[1] < off[0] / 2


def test_export_has_the_node_s_pitch_and_confidence() -> None:
    network = exported(_pipeline(floor=60, ceiling=900).compile(), "f0")
    for case in range(4):
        given = network.example(case)
        with torch.no_grad():
            pitch, confidence = network.module(*given.values())
        expected = network.reference(given)
        assert_close(confidence, expected["confidence"], EXPORTED)
        heard = expected["confidence"] > 0.5
        assert_close(pitch[heard], expected["pitch"][heard], TENTH_OF_A_CENT)
        assert heard.float().mean() > 0.5
