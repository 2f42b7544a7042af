"""``dsp.rms_mix``."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import FLOAT32, INAUDIBLE, SAMPLES, STEP_24_BIT, Tolerance, assert_close

pytestmark = pytest.mark.numeric

GLIDED = Tolerance("what is left of a glide after its time", relative=1e-5)

test_conformance = conformance.suite("dsp.rms_mix")

RATE = 8000


def _plan(block: Any = "10ms", rate: int = RATE, channels: int = 1, **params: Any):
    nodes = {
        "converted": node("dsp.gain", "input", db=-20.0),
        "mix": node("dsp.rms_mix", {"audio": "converted", "reference": "input"}, **params),
    }
    source = {"rate": rate, "channels": channels}
    return Pipeline(block=block, input=source, nodes=nodes, output="mix").compile()


def _run(audio: np.ndarray, block: Any = "10ms", **keys: Any) -> np.ndarray:
    plan = _plan(block, channels=len(audio), **keys)
    with plan.session() as session:
        output = np.concatenate([session.push(audio), session.flush()], axis=-1)
    return output[..., plan.latency_out :]


def _noise(seed: int, channels: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    swell = 10 ** rng.uniform(-3, 0, count // 211 + 1)
    return (rng.normal(0, 0.3, (channels, count)) * np.repeat(swell, 211)[:count]).astype(
        np.float32
    )


def _envelope_by_hand(audio: np.ndarray, rate: int) -> np.ndarray:
    """The definition: RMS over 40 ms centred on every 10 ms, straight lines between."""
    count = audio.shape[1]
    padded = np.pad(audio.astype(np.float64), ((0, 0), (rate, rate)))
    at = [k * rate // 100 for k in range(count * 100 // rate + 2)]
    levels = [
        np.sqrt(
            np.mean(padded[:, rate + (k - 2) * rate // 100 : rate + (k + 2) * rate // 100] ** 2)
        )
        for k in range(len(at))
    ]
    return np.interp(np.arange(count), at, levels)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    mix=st.sampled_from([0.0, 0.3, 1.0]),
    channels=st.integers(1, 2),
    rate_and_samples=st.sampled_from(
        [
            (8000, 80),
            (8000, 56),
            (8000, 2000),
            (44100, 441),
            (44100, 300),
            (22050, 441),
            (22050, 100),
        ]
    ),
)
def test_gain_is_its_definition(
    seed: int, mix: float, channels: int, rate_and_samples: tuple[int, int]
) -> None:
    rate, samples = rate_and_samples
    audio = _noise(seed, channels, 3000)
    found = _run(audio, Fraction(samples, rate), rate=rate, mix=mix)
    converted = audio * np.float32(0.1)
    wanted = _envelope_by_hand(audio, rate)
    have = np.maximum(_envelope_by_hand(converted, rate), 1e-3)
    assert_close(found, converted * (wanted / have) ** (1 - mix), SAMPLES)


@pytest.mark.parametrize(
    ("block", "latency"), [("10ms", 20), ("250ms", 20), ("7ms", 29), ("5ms", 25)]
)
def test_latency_is_what_the_blocks_need(block: str, latency: int) -> None:
    assert _plan(block).latency.algorithmic == Fraction(latency, 1000)


def test_loudness_follows_the_reference() -> None:
    audio = _noise(1, 1, 8000)
    assert np.sqrt(np.mean(_run(audio, mix=0.0) ** 2)) == pytest.approx(
        np.sqrt(np.mean(audio**2)), rel=0.02
    )
    np.testing.assert_array_equal(_run(audio, mix=1.0), audio * np.float32(0.1))


def test_silence_stays_silent() -> None:
    assert not _run(np.zeros((1, 1600), np.float32)).any()


def test_output_silence_is_not_blown_up() -> None:
    """A converter at -100 dB under full input is raised by 60 dB at most, the floor's share."""
    nodes = {
        "converted": node("dsp.gain", "input", db=-100.0),
        "mix": node("dsp.rms_mix", {"audio": "converted", "reference": "input"}),
    }
    audio = np.ones(800, np.float32)
    with Pipeline(
        block="100ms", input={"rate": RATE}, nodes=nodes, output="mix"
    ).session() as session:
        session.process(audio)
        assert_close(session.process(audio), 1e-5 * 1e3, FLOAT32)


def test_mix_changes_without_a_click() -> None:
    audio = np.ones((1, 80), np.float32)
    with _plan(mix=1.0).session() as session:
        before = [session.process(audio)[0] for _ in range(10)]
        session.set("mix.mix", 0.0)
        after = [session.process(audio)[0] for _ in range(20)]
    assert before[-1][-1] == pytest.approx(0.1)
    assert_close(after[-1][-1], 1.0, GLIDED)
    joined = np.concatenate([before[-1], *after])
    assert np.abs(np.diff(joined)).max() < np.log(10) / (0.005 * RATE)
    assert after[0][0] < 0.11


def test_streams_keep_their_own_time() -> None:
    plan = _plan("7ms")
    audio = _noise(5, 1, 56 * 30).reshape(30, 1, 1, 56)
    with plan.session() as session:
        alone = [session.process(block) for block in audio]
    with plan.session(2) as session:
        together = []
        for tick, block in enumerate(audio):
            if tick == 4:  # 28 ms: within a step
                session.reset(stream=1)
            later = audio[tick - 4] if tick >= 4 else block
            together.append(session.process(np.concatenate([block, later])))
    assert_close([t[0] for t in together], [a[0] for a in alone], STEP_24_BIT)
    assert_close([t[1] for t in together[4:]], [a[0] for a in alone[:-4]], STEP_24_BIT)


@pytest.mark.parametrize(("rate", "channels"), [(4000, 1), (11025, 2), (8000, 3)])
@pytest.mark.parametrize("block", ["40ms", "200ms"])
def test_the_reference_may_be_another_kind_of_sound(rate: int, channels: int, block: str) -> None:
    """A steady swell has the same envelope at any rate, in any number of equal channels."""
    time = np.arange(2 * RATE) / RATE
    audio = (np.sin(2 * np.pi * 300 * time) * (0.1 + 0.2 * time)).astype(np.float32)
    nodes = {
        "other": node("dsp.resample", "input", rate=rate),
        "wide": node("dsp.to_stereo", "other", channels=channels),
        "converted": node("dsp.gain", "input", db=-20.0),
        "mix": node("dsp.rms_mix", {"audio": "converted", "reference": "wide"}),
    }
    if channels == 1:
        del nodes["wide"]
        nodes["mix"] = node("dsp.rms_mix", {"audio": "converted", "reference": "other"})
    plan = Pipeline(block=block, input={"rate": RATE}, nodes=nodes, output="mix").compile()
    with plan.session() as session:
        found = np.concatenate([session.push(audio), session.flush()])[plan.latency_out :]
    middle = slice(RATE // 10, -RATE // 10)
    assert_close(found[: len(audio)][middle], audio[middle], INAUDIBLE)


def test_wrong_params_are_refused() -> None:
    with pytest.raises(PipelineError, match="mix"):
        _plan(mix=1.5)
