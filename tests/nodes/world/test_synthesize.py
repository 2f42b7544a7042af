"""``world.synthesize``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance, registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.node import Node, NodeParams, State
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import Out
from voicegraph.graph.signals import Features, Pitch
from voicegraph.nodes.world import world_library
from voicegraph.nodes.world.synthesize import stretch

from ...tolerance import FLOAT32, assert_close

pytestmark = pytest.mark.numeric

F0 = 0.005
"""9 cents: what Harvest finds of what WORLD makes."""
FORMANT = 0.03
"""A bin of the spectrum in which the peak is looked for."""
ONE_HARMONIC = 0.1
"""A peak lies at a harmonic, not between two."""

test_conformance = conformance.suite("world.synthesize", slow=("growth",))

RATE = 16000
BINS = 513


@dataclass
class ClockState(State):
    """``position`` ``[streams]`` int64: frames so far."""

    position: torch.Tensor


class Vowel(Node):
    """A vowel with one formant at 1 kHz, its pitch gliding by ``vibrato`` Hz around ``hertz``."""

    class Params(NodeParams):
        hertz: float = 150.0
        vibrato: float = 0.0
        noise: float = 0.002

    pitch = Out(Pitch, rate=100)
    envelope = Out(Features, rate=100, dim=BINS)
    aperiodicity = Out(Features, rate=100, dim=BINS)

    def state(self, params, streams):
        return ClockState(torch.zeros(streams, dtype=torch.int64))

    def process(self, inputs, params, state):
        count = self.asked["pitch"].count
        frames = state.position[:, None] + torch.arange(count)
        state.position += count
        pitch = params.hertz + params.vibrato * torch.sin(frames * 0.2)
        hertz = torch.arange(BINS) * RATE / (2 * BINS - 2)
        envelope = -10 - 2 * torch.log1p(((hertz - 1000) / 200) ** 2)
        shape = (*pitch.shape, BINS)
        return {
            "pitch": pitch.float(),
            "envelope": envelope.expand(shape),
            "aperiodicity": torch.full(shape, params.noise),
        }


@pytest.fixture(autouse=True, scope="module")
def _vowel() -> Iterator[None]:
    with registry.isolated({"test.vowel": Vowel}):
        yield


def _session(block: str = "50ms", streams: int = 1, vowel=None, sola=None, **params):
    ports = {"pitch": "vowel", "envelope": "vowel.envelope", "aperiodicity": "vowel.aperiodicity"}
    nodes = {
        "vowel": node("test.vowel", **(vowel or {})),
        "voice": node("world.synthesize", ports, **{"rate": RATE, **params}),
        "sola": node("dsp.sola", "voice", **(sola or {"crossfade": "20ms", "search": "0ms"})),
    }
    keys = {"block": block, "input": {"rate": RATE}, "nodes": nodes, "output": "sola"}
    return Pipeline(**keys).session(streams, warm_up=False)


def _run(session, seconds: float) -> np.ndarray:
    """What comes out, ``[streams, samples]``, without its beginning of 0.2 s."""
    silence = np.zeros((session.streams, 1, session.plan.samples_in), np.float32)
    ticks = round(seconds / float(session.plan.block))
    made = np.concatenate([session.process(silence)[:, 0] for _ in range(ticks)], 1)
    return made[:, RATE // 5 :]


def _peak(audio: np.ndarray) -> float:
    """Centre of the strongest resonance in Hz."""
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1 / RATE)
    strong = power > 0.05 * power.max()
    return float((power * hertz)[strong].sum() / power[strong].sum())


def _f0(audio: np.ndarray) -> np.ndarray:
    """F0 of the voiced frames but those at the rim."""
    found = world_library.harvest(audio.astype(np.float64), RATE, 50.0, 1100.0, 10.0)[5:-5]
    return found[found > 0]


@pytest.mark.parametrize("hertz", [80.0, 150.0, 310.0])
def test_has_the_pitch_that_is_asked_for(hertz: float) -> None:
    with _session(vowel={"hertz": hertz}) as session:
        found = _f0(_run(session, 0.8)[0])
    assert len(found) > 40
    assert np.median(found) == pytest.approx(hertz, rel=F0)


def test_formant_moves_the_envelope_and_not_the_pitch() -> None:
    peak, pitch = {}, {}
    for formant in (0.0, 7.0, -7.0):
        with _session(formant=formant, vowel={"hertz": 60.0}) as session:
            found = _run(session, 0.8)[0]
        peak[formant], pitch[formant] = _peak(found), np.median(_f0(found))
    assert peak[0.0] == pytest.approx(1000, rel=FORMANT)
    assert peak[7.0] == pytest.approx(1000 * 2 ** (7 / 12), rel=FORMANT)
    assert peak[-7.0] == pytest.approx(1000 * 2 ** (-7 / 12), rel=FORMANT)
    assert list(pitch.values()) == pytest.approx([60.0] * 3, rel=F0)


def test_formant_may_change_for_one_stream() -> None:
    with _session(streams=2) as session:
        _run(session, 0.4)
        session.set("voice.formant", 12.0, stream=1)
        found = _run(session, 0.8)
    assert _peak(found[0]) == pytest.approx(1000, rel=ONE_HARMONIC)
    assert _peak(found[1]) == pytest.approx(2000, rel=ONE_HARMONIC)


def test_stretch_interpolates_and_holds_the_end() -> None:
    envelope = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    assert_close(stretch(envelope, 2.0), [0, 0.5, 1, 1.5, 2], FLOAT32)
    assert_close(stretch(envelope, 0.5), [0, 2, 4, 4, 4], FLOAT32)
    assert stretch(envelope, 1.0) is envelope


def test_rates_must_agree() -> None:
    ports = {"pitch": "slow", "envelope": "vowel.envelope", "aperiodicity": "vowel.aperiodicity"}
    nodes = {
        "vowel": node("test.vowel"),
        "slow": node("io.contour", rate=50),
        "voice": node("world.synthesize", ports, rate=RATE),
        "sola": node("dsp.sola", "voice"),
    }
    keys = {"block": "100ms", "input": {"rate": RATE}, "nodes": nodes, "output": "sola"}
    with pytest.raises(PipelineError, match="pitch at 50 Hz, envelope at 100 Hz"):
        Pipeline(**keys).compile()


def test_bins_must_be_those_of_the_rate() -> None:
    with pytest.raises(PipelineError, match="takes 1025 dimensions, but gives 513 dimensions"):
        _session(rate=48000)
