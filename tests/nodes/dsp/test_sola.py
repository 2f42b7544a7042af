"""``dsp.sola``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.graph import conformance, registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.intervals import Interval
from voicegraph.graph.node import Node, NodeParams, State
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import Out
from voicegraph.graph.signals import Audio
from voicegraph.nodes.dsp.sola import best_offset

from ...tolerance import INAUDIBLE, SAMPLES, Tolerance, assert_close

pytestmark = pytest.mark.numeric

MIDDLE = Tolerance("a step of the fade: its middle lies between two samples", absolute=1e-3)

test_conformance = conformance.suite("dsp.sola")

RATE = 40000
RECORDED = Path(__file__).parents[2] / "data" / "reference" / "sola_40k.npz"


@dataclass
class ReplayState(State):
    """``position`` ``[streams]`` int64: windows played so far."""

    position: torch.Tensor


class ReplayWindows(Node):
    """Plays ``windows`` ``[ticks, samples]``, one a tick, each stream from its own position."""

    class Params(NodeParams):
        spare: bool = False

    windows: ClassVar[torch.Tensor]
    out = Out(Audio, rate=RATE, channels=1, window=True)

    def gives(self, params, out) -> Interval:
        return out.interval if params.spare else out.core

    def state(self, params, streams: int) -> ReplayState:
        return ReplayState(torch.zeros(streams, dtype=torch.int64))

    def process(self, inputs, params, state: ReplayState):
        rows = self.windows[state.position % len(self.windows)][:, None]
        missing = self.asked["out"].count - rows.shape[2]
        state.position += 1
        return {"out": torch.nn.functional.pad(rows, (0, missing), value=0.5)}


@pytest.fixture(autouse=True, scope="module")
def _test_nodes() -> Iterator[None]:
    with registry.isolated({"test.replay_windows": ReplayWindows}):
        yield


def _replay(windows: np.ndarray, block: Fraction, spare: bool = False, streams: int = 1):
    """The joined audio ``[streams, samples]`` and the offsets ``[streams, ticks]``."""
    ReplayWindows.windows = torch.from_numpy(windows)
    nodes = {"source": node("test.replay_windows", spare=spare), "sola": node("dsp.sola", "source")}
    pipeline = Pipeline(block=block, input={"rate": RATE}, nodes=nodes, output="sola")
    silence = np.zeros((streams, 1, int(block * RATE)), np.float32)
    audio, offsets = [], []
    with pipeline.session(streams) as session:
        for _ in windows:
            audio.append(session.process(silence, taps=["sola.offset"])[:, 0])
            offsets.append(session.taps["sola.offset"][:, 0, 0])
    return np.concatenate(audio, 1), np.stack(offsets, 1)


@pytest.mark.parametrize("spare", [False, True])
def test_matches_the_reference(spare: bool) -> None:
    with np.load(RECORDED) as recorded:
        raw, expected, offsets = recorded["raw"], recorded["output"], recorded["offsets"]
        block = Fraction(json.loads(str(recorded["meta"]))["block"], RATE)
    audio, found = _replay(raw, block, spare, streams=2)
    for stream in range(2):
        assert found[stream].tolist() == offsets.tolist()
        assert_close(audio[stream], expected.ravel(), SAMPLES)


@pytest.mark.parametrize("block", ["10ms", "35ms", "250ms"])
def test_slices_of_one_signal_come_out_as_the_signal(block: str) -> None:
    audio = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    pipeline = Pipeline(
        block=block, input={"rate": RATE}, nodes={"sola": node("dsp.sola", "input")}, output="sola"
    )
    plan = pipeline.compile()
    assert plan.latency.algorithmic == Fraction(60, 1000)
    size, late = plan.samples_in, plan.latency_out
    output = []
    with plan.session() as session:
        for start in range(0, RATE - size + 1, size):
            output.append(session.process(audio[start : start + size], taps=["sola.offset"]))
            assert session.taps["sola.offset"] == 0
    joined = np.concatenate(output)
    assert_close(joined[late:], audio[: joined.size - late], SAMPLES)
    assert not joined[:late].any()


def test_windows_of_random_phase_join_without_a_seam() -> None:
    block, window, omega = 10000, 12000, 2 * np.pi * 220 / RATE
    phase = np.random.default_rng(2).uniform(0, 2 * np.pi, (12, 1))
    windows = (0.5 * np.sin(omega * np.arange(window) + phase)).astype(np.float32)
    joined, offsets = _replay(windows, Fraction(block, RATE))
    assert len(set(offsets[0])) > 6

    def roughness(audio: np.ndarray) -> float:  # of a pure sine it is 1
        return float(np.abs(np.diff(audio[block // 2 :], 2)).max()) / (0.5 * omega**2)

    assert roughness(joined[0]) < 1.3
    assert roughness(windows[:, :block].ravel()) > 100


def test_a_window_that_does_not_fit_is_faded_in() -> None:
    windows = np.stack([np.full(12000, 0.5), np.full(12000, -0.5)]).astype(np.float32)
    joined, _ = _replay(windows, Fraction(10000, RATE))
    seam = joined[0, 10000:11600]
    assert seam[0] == 0.5
    assert_close(seam[-1], -0.5, INAUDIBLE)
    assert_close(seam[800], 0, MIDDLE)
    assert (np.diff(seam) <= 0).all()


def test_silence_is_not_moved() -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, 12000)
    silence = np.zeros(12000)
    half = np.where(np.arange(12000) < 1800, 0, -np.abs(noise))
    windows = np.stack([silence, noise, silence, np.abs(noise), half]).astype(np.float32)
    _, offsets = _replay(windows, Fraction(10000, RATE))
    # In the last, all that sounds runs against the tail, so the first silent cut is the best.
    assert offsets[0].tolist() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("crossfade", "search", "latency"),
    [("50ms", "10ms", 60), ("45ms", "10ms", 50), ("55ms", "0s", 60), ("20ms", "26ms", 50)],
)
def test_sizes_are_rounded_to_steps(crossfade: str, search: str, latency: int) -> None:
    nodes = {"sola": node("dsp.sola", "input", crossfade=crossfade, search=search)}
    plan = Pipeline(block="250ms", input={"rate": RATE}, nodes=nodes, output="sola").compile()
    assert plan.latency.algorithmic == Fraction(latency, 1000)


@settings(max_examples=30, deadline=None)
@given(
    shifts=st.lists(st.integers(0, 60), min_size=1, max_size=3),
    channels=st.integers(1, 2),
    seed=st.integers(0, 2**32 - 1),
)
def test_offset_is_found_for_each_stream(shifts: list[int], channels: int, seed: int) -> None:
    head = np.random.default_rng(seed).normal(0, 0.1, (len(shifts), channels, 260))
    head = torch.from_numpy(head.astype(np.float32))
    tail = torch.stack([head[i, :, shift : shift + 200] for i, shift in enumerate(shifts)])
    assert best_offset(head, 0.5 * tail).tolist() == shifts


@settings(max_examples=20, deadline=None)
@given(period=st.integers(4, 50), level=st.floats(1e-3, 1))
def test_of_equal_offsets_the_first_wins(period: int, level: float) -> None:
    wave = np.random.default_rng(period).normal(0, level, period).astype(np.float32)
    head = torch.from_numpy(np.resize(wave, 260))[None, None]
    assert best_offset(head, head[:, :, :200]).item() == 0


def test_wrong_params_are_refused() -> None:
    for params, text in (({"crossfade": "0s"}, "crossfade"), ({"search": "1s"}, "search")):
        nodes = {"sola": node("dsp.sola", "input", **params)}
        with pytest.raises(PipelineError, match=text):
            Pipeline(block="250ms", nodes=nodes, output="sola").compile()


def test_a_rate_without_10_ms_is_refused() -> None:
    nodes = {"sola": node("dsp.sola", "input")}
    with pytest.raises(PipelineError, match="no whole sample"):
        Pipeline(block="1s", input={"rate": 50}, nodes=nodes, output="sola").compile()
