"""``dsp.denoise``."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import SAMPLES, STEP_24_BIT, assert_close

pytestmark = pytest.mark.numeric

SPREAD_DB = 0.5
"""Of the level of noise from one measurement to the next."""
GLIDING_DB = 3
"""Half of what the level falls by while the floor glides."""

test_conformance = conformance.suite("dsp.denoise")

RATE = 16000
SETTLED = 3 * RATE
"""By here the noise is known."""


def _plan(block: str = "20ms", rate: int = RATE, channels: int = 1, **params: Any):
    nodes = {"denoise": node("dsp.denoise", "input", **params)}
    source = {"rate": rate, "channels": channels}
    return Pipeline(block=block, input=source, nodes=nodes, output="denoise").compile()


def _run(audio: np.ndarray, block: str = "20ms", **keys: Any) -> np.ndarray:
    plan = _plan(block, channels=1 if audio.ndim == 1 else len(audio), **keys)
    with plan.session() as session:
        output = np.concatenate([session.push(audio), session.flush()], axis=-1)
    return output[..., plan.latency_out :]


def _noise(seconds: float, level: float = 0.01, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, level, int(seconds * RATE))
    return noise.astype(np.float32)


def _db(audio: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(audio, dtype=np.float64))))


def _speech(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """A gliding voice with formants in syllables of 0.25 s, and where it is silent (all of it)."""
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 130 * (1 + 0.2 * np.sin(2 * np.pi * 0.9 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    weights = [1 / (1 + ((k * 130 - 600) / 500) ** 2) + 0.05 for k in range(1, 30)]
    voice = sum(w * np.sin(k * phase) for k, w in enumerate(weights, 1))
    on = (time % 0.6) < 0.25
    edges = np.convolve(on, np.hanning(400) / np.hanning(400).sum(), "same")
    return (0.1 * voice * edges).astype(np.float32), edges < 1e-9


@pytest.mark.parametrize(
    ("rate", "params"),
    [
        (16000, {}),
        (44100, {"overlap": 2, "frame": "32ms"}),
        (48000, {"overlap": 8, "frame": "20ms"}),
        (22050, {"frame": "11ms"}),
    ],
)
def test_no_reduction_is_the_input(rate: int, params: dict[str, Any]) -> None:
    audio = np.random.default_rng(1).normal(0, 0.2, rate // 2).astype(np.float32)
    found = _run(audio, rate=rate, reduction=0.0, **params)
    assert_close(found, audio, SAMPLES)


def test_pauses_become_quieter_and_speech_stays() -> None:
    voice, silent = _speech(8)
    noisy = voice + _noise(8, 0.02)
    found = _run(noisy)
    settled = np.arange(noisy.size) > SETTLED
    # The gate closes over some 100 ms and opens with the frame: look at the middle of both.
    pause = settled & (np.convolve(silent, np.ones(3200), "same") > 3199)
    spoken = settled & (np.convolve(~silent, np.ones(2400), "same") > 2399)
    assert pause.sum() > RATE / 2
    assert _db(noisy[pause]) - _db(found[pause]) > 6
    assert abs(_db(noisy[spoken]) - _db(found[spoken])) < 1.5
    before, after = noisy[spoken] - voice[spoken], found[spoken] - voice[spoken]
    assert _db(after) < _db(before)


@pytest.mark.parametrize("colour", [0.0, 0.9])
def test_the_rest_of_the_noise_does_not_twitter(colour: float) -> None:
    """Spectral peaks of what is left stand out no more than those of the noise itself."""
    noise = _noise(12)
    for n in range(1, noise.size if colour else 0):
        noise[n] += colour * noise[n - 1]
    found = _run(noise)

    def crest(audio: np.ndarray) -> float:
        frames = np.lib.stride_tricks.sliding_window_view(audio[SETTLED:], 640)[::160]
        power = np.abs(np.fft.rfft(frames * np.hanning(640)))[:, 4:-4] ** 2
        return float(10 * np.log10(np.quantile(power / power.mean(0), 0.9999)))

    assert _db(noise[SETTLED:]) - _db(found[SETTLED:]) > 9
    assert crest(found) - crest(noise) < 3


def test_reduction_is_the_limit() -> None:
    noise = _noise(4)
    found = _run(noise, reduction=10.0)
    frames = found[SETTLED:].reshape(-1, 320)
    ratio = [_db(a) - _db(b) for a, b in zip(noise[SETTLED:].reshape(-1, 320), frames, strict=True)]
    assert max(ratio) < 10.5
    assert np.median(ratio) > 9


def test_a_steady_tone_settles_into_noise() -> None:
    time = np.arange(5 * RATE) / RATE
    tone = (0.1 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    found = _run(tone + _noise(5, 1e-4), settle="2s").reshape(-1, RATE // 4)
    levels = [_db(part) - _db(tone) for part in found]
    assert levels[:4] == pytest.approx([0] * 4, abs=SPREAD_DB)
    assert levels[8] == pytest.approx(-6, abs=GLIDING_DB)  # 2 s
    assert max(levels[12:-1]) < -11


def test_silence_stays_silent() -> None:
    assert not _run(np.zeros(RATE, np.float32)).any()


def test_reduction_changes_without_a_click() -> None:
    time = np.arange(4 * RATE) / RATE
    tone = (0.1 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    blocks = tone.reshape(-1, 320)
    output = []
    with _plan(settle="500ms").session() as session:
        for tick, block in enumerate(blocks):
            if tick == 150:
                session.set("denoise.reduction", 0.0)
            output.append(session.process(block))
    joined = np.concatenate(output)
    assert _db(joined[2 * RATE : 3 * RATE]) < _db(tone) - 9
    assert _db(joined[-RATE // 2 :]) == pytest.approx(_db(tone), abs=0.01)
    # A click would show in the second difference, which is small for a tone of 440 Hz.
    steepest = 0.1 * (2 * np.pi * 440 / RATE) ** 2
    assert np.abs(np.diff(joined[2 * RATE :], 2)).max() < 1.1 * steepest


def test_channels_are_turned_down_alike() -> None:
    noise = _noise(2)
    found = _run(np.stack([noise, -0.5 * noise]))
    assert_close(found[1], -0.5 * found[0], STEP_24_BIT)


def test_streams_keep_their_own_time() -> None:
    plan = _plan("7ms", settle="250ms")
    audio = _noise(1, 0.1)[: 112 * 80].reshape(80, 1, 1, 112)
    with plan.session() as session:
        alone = [session.process(block) for block in audio]
    with plan.session(2) as session:
        together = []
        for tick, block in enumerate(audio):
            if tick == 4:  # 28 ms: within a hop
                session.reset(stream=1)
            later = audio[tick - 4] if tick >= 4 else block
            together.append(session.process(np.concatenate([block, later])))
    assert_close([t[0] for t in together], [a[0] for a in alone], SAMPLES)
    assert_close([t[1] for t in together[4:]], [a[0] for a in alone[:-4]], SAMPLES)


@pytest.mark.parametrize(
    ("block", "params", "latency"),
    [
        ("10ms", {}, 30),
        ("250ms", {}, 30),
        ("7ms", {}, 39),
        ("10ms", {"overlap": 2}, 30),
        ("20ms", {"overlap": 2}, 20),
        ("10ms", {"frame": "20ms"}, 15),
    ],
)
def test_latency(block: str, params: dict[str, Any], latency: int) -> None:
    assert _plan(block, **params).latency.algorithmic == Fraction(latency, 1000)


def test_wrong_params_are_refused() -> None:
    wrong: dict[str, Any] = {"overlap": 3, "reduction": -1.0, "frame": "1ms", "settle": "0s"}
    for name, value in wrong.items():
        with pytest.raises(PipelineError, match=name):
            _plan(**{name: value})
