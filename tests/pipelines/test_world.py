"""``pipelines/world.yaml``: the voice changer that needs no weights."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.world import world_library

pytestmark = pytest.mark.numeric

F0 = 0.01
"""17 cents: what Harvest finds of what WORLD makes."""
FORMANT = 0.1
"""A peak lies at a harmonic, not between two."""
LEVEL_DB = 2
"""WORLD makes the phases anew: of the same spectrum, another crest."""

RATE = 48000


def vowel(hertz: np.ndarray) -> np.ndarray:
    """A voice with formants at 700 and 1200 Hz; its F0 in Hz at every sample."""
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    audio = np.random.default_rng(1).normal(0, 0.0005, hertz.size)
    for k in range(1, 40):
        weight = sum(1 / (1 + ((k * hertz - f) / 120) ** 2) for f in (700, 1200))
        audio += 0.1 * (weight + 0.02) * np.cos(k * phase) * (k * hertz < 9000)
    return audio.astype(np.float32)


def _convert(audio: np.ndarray, **overrides) -> np.ndarray:
    """The output, with the latency taken away."""
    paths = {key.replace("__", "."): value for key, value in overrides.items()}
    plan = Pipeline.load("world", paths).compile()
    with plan.session(warm_up=False) as session:
        made = np.concatenate((session.push(audio), session.flush()))
    return made[plan.latency_out :]


def _f0(audio: np.ndarray) -> np.ndarray:
    """F0 every 10 ms, estimated on the whole."""
    return world_library.harvest(audio.astype(np.float64), RATE, 60.0, 800.0, 10.0)


def _steady(seconds: float = 1.0, hertz: float = 130.0) -> np.ndarray:
    return vowel(np.full(round(seconds * RATE), hertz))


def _peak(audio: np.ndarray) -> float:
    """Centre of what is loudest, below 4 kHz, in Hz."""
    power = np.abs(np.fft.rfft(audio)) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1 / RATE)
    strong = (power > 0.02 * power.max()) & (hertz < 4000)
    return float((power * hertz)[strong].sum() / power[strong].sum())


@pytest.mark.parametrize("use", ["f0.dio", "f0.harvest"])
def test_transposes_a_glide(use: str) -> None:
    seconds = np.arange(round(1.6 * RATE)) / RATE
    hertz = 120 + 40 * np.sin(2 * np.pi * 0.7 * seconds)
    made = _convert(vowel(hertz), vars__transpose=5, nodes__f0__use=use)
    found = _f0(made)[40:-10]
    wanted = hertz[:: RATE // 100][40 : 40 + len(found)] * 2 ** (5 / 12)
    assert (found > 0).mean() > 0.97
    voiced = found > 0
    cents = 1200 * np.log2(found[voiced] / wanted[voiced])
    assert np.median(np.abs(cents)) < 15
    assert np.percentile(np.abs(cents), 90) < 60


def test_formants_move_apart_from_the_pitch() -> None:
    audio = _steady()
    low, high = (_convert(audio, vars__transpose=0, vars__formant=f) for f in (0, 6))
    inner = slice(RATE // 2, RATE * 9 // 10)
    assert np.median(_f0(low)[50:90]) == pytest.approx(130, rel=F0)
    assert np.median(_f0(high)[50:90]) == pytest.approx(130, rel=F0)
    assert _peak(high[inner]) / _peak(low[inner]) == pytest.approx(2 ** (6 / 12), rel=FORMANT)
    assert _peak(low[inner]) == pytest.approx(_peak(audio[inner]), rel=FORMANT)


def test_loudness_stays() -> None:
    audio = _steady()
    made = _convert(audio)
    inner = slice(RATE // 2, RATE * 9 // 10)
    assert 20 * np.log10(made[inner].std() / audio[inner].std()) == pytest.approx(0, abs=LEVEL_DB)


def test_block_boundaries_are_no_louder() -> None:
    """High frequencies and level at the joins, a block of 100 ms apart, against elsewhere."""
    made = _convert(_steady(3.0, 97.0))[RATE : RATE * 28 // 10]
    step = RATE // 200
    frames = np.lib.stride_tricks.sliding_window_view(made, 2 * step)[::step] * np.hanning(2 * step)
    power = np.abs(np.fft.rfft(frames)) ** 2
    for band in (slice(1, 30), slice(30, 90)):
        level = 10 * np.log10(power[:, band].sum(1))
        place = level[: len(level) // 20 * 20].reshape(-1, 20).mean(0)
        assert np.ptp(place) < 3.0 * level.std() / np.sqrt(len(level) / 20) + 1.0


def test_silence_stays_silent() -> None:
    assert np.abs(_convert(np.zeros(RATE // 2, np.float32))).max() < 1e-5


def test_latency_is_overlap_and_lookahead() -> None:
    plan = Pipeline.load("world").compile()
    assert plan.latency.algorithmic == Fraction(63, 1000)
    assert Pipeline.load("world", profiles=["quick"]).compile().latency.algorithmic == Fraction(
        43, 1000
    )


@pytest.mark.parametrize("block", ["10ms", "30ms", "250ms"])
def test_block_may_be_any_multiple_of_10_ms(block: str) -> None:
    audio = _steady(0.8)
    found = _f0(_convert(audio, block=block, vars__transpose=-4))[45:70]
    assert np.median(found) == pytest.approx(130 * 2 ** (-4 / 12), rel=F0)


@pytest.mark.parametrize("rate", [16000, 44100, 96000])
def test_any_rate_runs_by_one_var(rate: int) -> None:
    plan = Pipeline.load("world", {"vars.rate": rate}).compile()
    assert plan.output_type.rate == plan.source.rate == rate


@pytest.mark.parametrize(
    ("profile", "transpose", "formant"), [("deep", -5, -2.5), ("bright", 7, 3.5), ("same", 0, 0)]
)
def test_profiles(profile: str, transpose: float, formant: float) -> None:
    plan = Pipeline.load("world", profiles=[profile]).compile()
    assert plan.find("pitch").params.transpose == transpose  # pyright: ignore[reportAttributeAccessIssue]
    assert plan.find("track").params.transpose == 0  # pyright: ignore[reportAttributeAccessIssue]
    assert plan.find("voice").params.formant == formant  # pyright: ignore[reportAttributeAccessIssue]


def test_pitch_and_formant_are_live() -> None:
    audio = _steady(2.0)
    with Pipeline.load("world", {"vars.transpose": 0}).session(warm_up=False) as session:
        before = session.push(audio[:RATE])
        session.set("pitch.transpose", 7)
        session.set("voice.formant", 0)
        after = session.push(audio[RATE:])
    assert np.median(_f0(before)[50:95]) == pytest.approx(130, rel=F0)
    assert np.median(_f0(after)[30:95]) == pytest.approx(130 * 2 ** (7 / 12), rel=F0)
    joined = np.concatenate((before[-4800:], after[:9600]))
    steady = max(np.abs(np.diff(side[30000:])).max() for side in (before, after))
    assert np.abs(np.diff(joined)).max() < 1.5 * steady
