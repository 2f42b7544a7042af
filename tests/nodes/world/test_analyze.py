"""``world.analyze``."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Features
from voicegraph.nodes.world import world_library

from ...tolerance import Tolerance, assert_close

pytestmark = pytest.mark.numeric

HUNDREDTH_OF_A_DB = Tolerance("a hundredth of a dB of the envelope", absolute=2e-3)
"""Of the logarithm of power, and as much of the aperiodicity: a block ends soon after it."""

test_conformance = conformance.suite("world.analyze", slow=("growth",))

RATE = 16000


def voice(f0: float, seconds: float, seed: int = 0) -> np.ndarray:
    """A buzz with two formants and some noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    audio = np.random.default_rng(seed).normal(0, 0.003, time.size)
    for k in range(1, int(7000 / f0)):
        weight = sum(1 / (1 + ((k * f0 - f) / 150) ** 2) for f in (600, 1700))
        audio += 0.2 * weight * np.cos(2 * np.pi * f0 * k * time + k)
    return audio.astype(np.float32)


def _session(block: str = "100ms", rate: int = RATE, streams: int = 1, **params):
    nodes = {
        "f0": node("f0.dio", "input" if rate == RATE else "to16k"),
        "pitch": node("pitch.cache", "f0"),
        "analyze": node("world.analyze", {"audio": "input", "pitch": "pitch"}, **params),
    }
    if rate != RATE:
        nodes["to16k"] = node("dsp.resample", "input", rate=RATE)
    keys = {"block": block, "input": {"rate": rate, "channels": 1}, "output": "analyze"}
    return Pipeline(nodes=nodes, **keys).session(streams, warm_up=False)


def test_all_but_the_newest_frames_are_those_of_the_whole_file() -> None:
    audio = voice(140, 1.0)
    taps = ["analyze.envelope", "analyze.aperiodicity", "pitch"]
    blocks: dict[str, list[np.ndarray]] = {tap: [] for tap in taps}
    with _session() as session:
        for start in range(0, RATE, RATE // 10):
            session.process(audio[start : start + RATE // 10], taps=taps)
            for tap in taps:
                blocks[tap].append(session.taps[tap][0])
    envelope, aperiodicity, pitch = (np.concatenate(blocks[tap]) for tap in taps)
    times = np.arange(100) / 100
    f0, whole = pitch.astype(np.float64), audio.astype(np.float64)
    assert (f0[10:] > 0).mean() > 0.9
    inner = np.arange(100) % 10 < 7  # 30 ms of what follows are known: that is all WORLD looks at
    inner[:5] = False
    expected = np.log(world_library.envelope(whole, f0, times, RATE, 1024))
    assert_close(envelope[inner], expected[inner], HUNDREDTH_OF_A_DB)
    expected = world_library.aperiodicity(whole, f0, times, RATE, 1024)
    assert_close(aperiodicity[inner], expected[inner], HUNDREDTH_OF_A_DB)


def test_envelope_has_the_formants_and_no_harmonics() -> None:
    audio = voice(200, 0.6)
    with _session() as session:
        for start in range(0, len(audio), RATE // 10):
            session.process(audio[start : start + RATE // 10], taps=["analyze"])
        frame = session.taps["analyze"][0, 4]
    hertz = np.arange(513) * RATE / 1024
    peaks = hertz[1:-1][(frame[1:-1] > frame[:-2]) & (frame[1:-1] > frame[2:])]
    for formant in (600, 1700):
        assert np.abs(peaks - formant).min() < 60
    assert frame[np.abs(hertz - 600).argmin()] - frame[np.abs(hertz - 1150).argmin()] > 1.0


def test_bins_follow_rate_and_floor() -> None:
    for rate, floor, bins in ((16000, 71.0, 513), (48000, 71.0, 1025), (48000, 50.0, 2049)):
        with _session(rate=rate, floor=floor) as session:
            found = session.plan.find("analyze").asked["envelope"].type
        assert found == Features(Fraction(100), bins)


def test_silence_is_finite() -> None:
    with _session(streams=2) as session:
        found = session.process(np.zeros((2, 1, 1600), np.float32), taps=["analyze.aperiodicity"])
    assert np.isfinite(found).all()
    assert found.max() < -30
    assert session.taps["analyze.aperiodicity"].min() == 1.0


def test_a_voice_below_the_floor_is_still_a_voice() -> None:
    audio = voice(64, 0.8)  # the FFT of 1024 holds three periods of 47 Hz, of 512 those of 94
    spread = {}
    for floor in (71.0, 100.0):
        with _session(floor=floor) as session:
            for start in range(0, len(audio), RATE // 10):
                session.process(audio[start : start + RATE // 10], taps=["analyze", "pitch"])
            assert (session.taps["pitch"] > 0).all()
            spread[floor] = session.taps["analyze"][0, :7].mean(1).std()
    assert spread[100.0] < 0.25  # frames that see single pulses or none differ by far more


def test_takes_one_channel() -> None:
    nodes = {
        "pitch": node("io.contour"),
        "analyze": node("world.analyze", {"audio": "input", "pitch": "pitch"}),
    }
    keys = {"block": "100ms", "input": {"rate": RATE, "channels": 2}, "output": "analyze"}
    with pytest.raises(PipelineError, match="takes 1 channel, but gives 2 channels"):
        Pipeline(nodes=nodes, **keys).compile()
