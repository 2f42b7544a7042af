"""``dsp.resample``."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import soxr

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.nodes.dsp.resample import common_rate

from ...tolerance import SAMPLES, Tolerance, assert_close

pytestmark = pytest.mark.numeric

ROUNDED_ONCE = Tolerance("two float32 roundings of values up to 2", absolute=4 * 2.0**-24)
"""SoXR sums in float64, in blocks as in whole files."""

test_conformance = conformance.suite("dsp.resample")

RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000)
SILENCE_S = Fraction(1, 5)


def _plan(source: int, target: int, block: str = "40ms", channels: int = 1):
    return Pipeline(
        block=block,
        input={"rate": source, "channels": channels},
        nodes={"to": node("dsp.resample", "input", rate=target)},
        output="to",
    ).compile()


def _whole(audio: np.ndarray, source: int, target: int) -> np.ndarray:
    """All at once, ``[samples]`` or ``[samples, channels]``, with silence after."""
    padding = [(0, int(SILENCE_S * source))] + [(0, 0)] * (audio.ndim - 1)
    return soxr.resample(np.pad(audio, padding), source, target, "VHQ")


def _noise(source: int, seconds: float, *width: int) -> np.ndarray:
    rng = np.random.default_rng(source)
    return rng.uniform(-1, 1, (round(source * seconds), *width)).astype(np.float32)


def _check(source: int, target: int, block: str, audio: np.ndarray) -> None:
    plan = _plan(source, target, block)
    with plan.session(warm_up=False) as session:
        made = np.concatenate([session.push(audio), session.flush()])[plan.latency_out :]
    expected = _whole(audio, source, target)[: len(made)]
    assert len(made) == math.ceil(len(audio) * target / source)
    assert_close(made, expected, ROUNDED_ONCE)
    assert plan.latency_out == math.ceil(128 * target / min(source, target))


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(RATES, 2)))
def test_blocks_are_as_the_whole_file(source: int, target: int) -> None:
    # 0.233 s is no whole number of blocks, and at most pairs no whole number of periods.
    _check(source, target, "40ms", _noise(source, 0.233))


@pytest.mark.parametrize("block", ["10ms", "20ms", "30ms", "250ms", "1s"])
@pytest.mark.parametrize(("source", "target"), [(48000, 16000), (16000, 48000), (44100, 48000)])
def test_any_block_size_gives_the_same(source: int, target: int, block: str) -> None:
    _check(source, target, block, _noise(source, 0.51))


def test_streams_and_channels_are_each_as_alone() -> None:
    audio = _noise(44100, 0.4, 6)
    plan = _plan(44100, 16000, channels=2)
    blocks = audio.T.reshape(3, 2, -1)
    with plan.session(3) as session:
        made = session.push(blocks)[:, :, plan.latency_out :]
    expected = _whole(audio, 44100, 16000)[: made.shape[2]]
    assert_close(made.reshape(6, -1).T, expected, ROUNDED_ONCE)


def test_equal_rates_pass_bit_for_bit_without_delay() -> None:
    audio = _noise(48000, 0.04)
    plan = _plan(48000, 48000)
    assert plan.latency.algorithmic == 0
    with plan.session() as session:
        assert np.array_equal(session.process(audio), audio)


def test_tone_keeps_level_and_place_and_images_stay_out() -> None:
    """A 1 kHz tone from 16 to 48 kHz is the same tone; nothing else rises above -130 dB."""
    plan = _plan(16000, 48000)
    wave = np.sin(2 * np.pi * 1000 * np.arange(32000) / 16000).astype(np.float32)
    with plan.session() as session:
        made = session.push(wave)[plan.latency_out :][4800:52800]
    expected = np.sin(2 * np.pi * 1000 * np.arange(4800, 52800) / 48000)
    assert_close(made, expected, SAMPLES)
    spectrum = np.abs(np.fft.rfft(made * np.blackman(48000))) / 48000 / 0.42 * 2
    spectrum[990:1011] = 0
    assert 20 * np.log10(spectrum.max()) < -130


def test_common_rate_of_fractions() -> None:
    assert common_rate(Fraction(44100), Fraction(48000)) == 300
    assert common_rate(Fraction(16000, 3), Fraction(48000)) == Fraction(16000, 3)
    assert common_rate(Fraction(100, 3), Fraction(25, 2)) == Fraction(25, 6)


def test_a_stream_that_begins_later_is_as_alone() -> None:
    """Resetting one of two streams makes its next sample a first one; the other goes on."""
    audio = _noise(48000, 0.4, 2)
    plan = _plan(48000, 16000)
    blocks = audio.T[:, None]
    with plan.session(2) as session:
        before = session.push(blocks[:, :, :9600])
        session.reset(stream=1)
        after = session.push(blocks[:, :, 9600:])
    late = plan.latency_out
    joined = np.concatenate([before[0, 0], after[0, 0]])[late:]
    assert_close(joined, _whole(audio[:, 0], 48000, 16000)[: len(joined)], ROUNDED_ONCE)
    fresh = after[1, 0, late:]
    assert_close(fresh, _whole(audio[9600:, 1], 48000, 16000)[: len(fresh)], ROUNDED_ONCE)


def test_rate_is_checked() -> None:
    with pytest.raises(PipelineError, match="must be above 0 Hz"):
        _plan(48000, -1)
    with pytest.raises(PipelineError, match=r"44101 Hz has 1764\.04 samples in a block of 40ms"):
        _plan(48000, 44101)
