"""``pitch.cache``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance, registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.node import Node, NodeParams, State
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Mask, Pitch
from voicegraph.schemas.quantities import Duration

from ...tolerance import TENTH_OF_A_CENT, assert_close

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("pitch.cache")

RECORDED = Path(__file__).parents[2] / "data" / "reference" / "pitch_cache.npz"


class LookBack(Node):
    """Asks for ``extra`` more of the past, as a synthesizer does, and hands it on."""

    class Params(NodeParams):
        extra: Duration
        delay: Duration = Fraction(0)

    chunking = "windowed"
    pure = True
    pitch = In(Pitch)
    voiced = In(Mask, optional=True)
    out = Out(Pitch, like="pitch", window=True)
    mask = Out(Mask, like="pitch", window=True)

    def needs(self, params, out):
        return dict.fromkeys(self.input_types, out.shift(-params.delay).widen(params.extra))

    def gives(self, params, out):
        return out.interval.widen(params.extra)

    def process(self, inputs, params, state):
        return {"out": inputs["pitch"], "mask": inputs.get("voiced", torch.zeros(1, 0))}


@dataclass
class TickState(State):
    """``tick`` ``[streams]`` int64."""

    tick: torch.Tensor


class RevisedPitch(Node):
    """At tick n, frame k of the window is 1000 n + k: who made a frame can be read off it."""

    pitch = Out(Pitch, rate=100, window=True)
    voiced = Out(Mask, rate=100, window=True)

    def state(self, params, streams):
        return TickState(torch.zeros(streams, dtype=torch.int64))

    def process(self, inputs, params, state):
        state.tick += 1
        frames = torch.arange(self.asked["pitch"].count, dtype=torch.float32)
        pitch = 1000.0 * state.tick[:, None] + frames
        return {"pitch": pitch, "voiced": (frames % 2).expand_as(pitch)}


@pytest.fixture(autouse=True, scope="module")
def _test_nodes() -> Iterator[None]:
    with registry.isolated({"test.look_back": LookBack, "test.revised_pitch": RevisedPitch}):
        yield


def _session(block: str = "40ms", extra: str = "60ms", delay: str = "0ms", streams=1, **params):
    nodes = {
        "f0": node("test.revised_pitch"),
        "pitch": node("pitch.cache", {"pitch": "f0", "voiced": "f0.voiced"}, **params),
        "back": node(
            "test.look_back",
            {"pitch": "pitch", "voiced": "pitch.voiced"},
            extra=extra,
            delay=delay,
        ),
    }
    pipeline = Pipeline(block=block, input={"rate": 16000}, nodes=nodes, output="back")
    return pipeline.session(streams, warm_up=False)


def _tick(session, port: str = "back") -> np.ndarray:
    size = session.plan.samples_in
    session.process(np.zeros((session.streams, 1, size), np.float32), taps=[port])
    return session.taps[port]


def test_matches_the_reference_frame_for_frame() -> None:
    recorded = np.load(RECORDED)
    meta = json.loads(str(recorded["meta"]))
    audio = (recorded["source"] / 32768).astype(np.float32)
    extra = f"{10 * (meta['window'] - meta['block'] // 160)}ms"
    nodes = {
        "f0": node("f0.harvest", "input"),
        "pitch": node("pitch.cache", "f0"),
        "back": node("test.look_back", "pitch", extra=extra),
    }
    keys = {"block": "250ms", "input": {"rate": 16000}, "nodes": nodes, "output": "back"}
    with Pipeline(**keys).session(warm_up=False) as session:
        for tick, expected in enumerate(recorded["pitch"]):
            block = audio[tick * meta["block"] : (tick + 1) * meta["block"]]
            session.process(block, taps=["back"])
            assert_close(session.taps["back"][0], expected, TENTH_OF_A_CENT)


def test_new_frames_but_the_first_overwrite_the_newest() -> None:
    with _session() as session:  # 4 frames a block, 5 of look: 9 given, 6 written
        found = [_tick(session)[0].tolist() for _ in range(3)]
    assert found[0] == [0, 0, 0, 0, 1003, 1004, 1005, 1006, 1007, 1008]
    assert found[1] == [1003, 1004, 1005, 1006, *(2003 + i for i in range(6))]
    assert found[2] == [2003, 2004, 2005, 2006, *(3003 + i for i in range(6))]


def test_voicing_moves_along() -> None:
    with _session() as session:
        _tick(session)
        voicing = _tick(session, "back.mask")[0]
    assert voicing.tolist() == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0]


def test_asks_for_block_and_look_alone() -> None:
    with _session(extra="1s", look="100ms") as session:
        assert str(session.plan.find("pitch").given["pitch"].interval) == "[-140ms, 0s)"
        assert _tick(session).shape == (1, 104)


def test_what_is_written_may_be_more_than_what_is_asked() -> None:
    with _session(extra="0ms", look="200ms", drop_front=0) as session:
        assert _tick(session)[0].tolist() == [1020, 1021, 1022, 1023]
        assert _tick(session)[0].tolist() == [2020, 2021, 2022, 2023]


def test_everything_moves_with_the_end() -> None:
    with _session(delay="30ms") as session:
        _tick(session)
        found = _tick(session)[0].tolist()
        assert str(session.plan.find("pitch").given["pitch"].interval) == "[-120ms, -30ms)"
    assert found == [1003, 1004, 1005, 1006, *(2003 + i for i in range(6))]


def test_odd_lengths_are_rounded_to_whole_frames_back_from_the_end() -> None:
    with _session(extra="63ms") as session:
        assert str(session.plan.find("pitch").asked["pitch"].interval) == "[-110ms, 0s)"
        assert _tick(session)[0].tolist() == [0] * 5 + [1003 + i for i in range(6)]


def test_transposition_holds_for_new_frames() -> None:
    with _session(streams=2, transpose=12.0) as session:
        assert _tick(session)[:, -1].tolist() == [2 * 1008] * 2
        session.set("pitch.transpose", 0, stream=1)
        found = _tick(session)
    assert found[0].tolist()[:4] == [2006, 2008, 2010, 2012]
    assert found[1].tolist()[:4] == [2006, 2008, 2010, 2012]
    assert found[0, 4:].tolist() == [2 * (2003 + i) for i in range(6)]
    assert found[1, 4:].tolist() == [2003 + i for i in range(6)]


def test_without_a_mask_what_has_pitch_is_voiced() -> None:
    nodes = {
        "f0": node("io.contour"),
        "pitch": node("pitch.cache", "f0"),
        "back": node("test.look_back", {"pitch": "pitch", "voiced": "pitch.voiced"}, extra="500ms"),
    }
    keys = {"block": "100ms", "input": {"rate": 16000}, "nodes": nodes, "output": "back"}
    with Pipeline(**keys).session(warm_up=False) as session:
        for _ in range(10):
            pitch = _tick(session)
        mask = _tick(session, "back.mask")
        pitch = _tick(session)
        mask = session.taps.get("back.mask", mask)
    assert 0 < (pitch > 0).mean() < 1
    assert set(np.unique(mask)) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"block": "45ms"},
            "pitch at 100 Hz has 4.5 frames in a block of 45ms",
        ),
        ({"look": "55ms"}, "look of 55ms holds 5.5 frames at 100 Hz.*must be 50ms or 60ms"),
        ({"look": "20ms"}, "look of 20ms is less than the 3 frames.*must be 30ms or more"),
        ({"transpose": 25.0}, "transpose is 25, expected at most 24"),
    ],
)
def test_sizes_that_do_not_fit(keys, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        _session(**keys)
