"""``pipelines/rvc-live.yaml``: latency, approximations, and everything that a session may do."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.app.reports.plan_report import report_plan
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.files.recordings.replay import replay
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.runtime.session import Session
from voicegraph.graph.runtime.snapshot import Snapshot
from voicegraph.nodes.synth import rvc_example
from voicegraph.schemas.quantities import parse_duration

from ..tolerance import INAUDIBLE, assert_close

pytestmark = pytest.mark.numeric

RATE = 16000
SILENT = {"vars.noise_scale": 0, "vars.source_noise": 0}
"""Nothing random."""
Load = Callable[..., Pipeline]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]) -> Path:
    """Small voices of version 1, an encoder that goes with them, and an index."""
    folder = tmp_path_factory.mktemp("rvc")
    write_models(folder)
    return folder


@pytest.fixture
def load(files: Path) -> Load:
    """``load(**{"vars.transpose": 3})``: the pipeline with the small files."""

    def made(name: str = "rvc-live", profiles: tuple[str, ...] = (), **overrides: Any) -> Pipeline:
        given = {
            "vars.voice": str(files / "voice.pth"),
            "vars.index": str(files / "added.index"),
            "assets.hubert": str(files / "hubert.safetensors"),
            "vars.extra": "300ms",
            "block": "100ms",
            "input.rate": RATE,
            "vars.dtype": "float32",  # by default a trial decides
            **overrides,
        }
        return Pipeline.load(name, given, profiles=list(profiles))

    return made


def _speech(seconds: float) -> np.ndarray:
    """A gliding voice with pauses."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(140 * (1 + 0.2 * np.sin(3 * time))) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 9)) * (np.sin(5 * time) > -0.5)
    return (0.1 * voice).astype(np.float32)


def _blocks(session: Session, audio: np.ndarray) -> list[np.ndarray]:
    count = session.plan.samples_in
    return [session.process(audio[i : i + count]) for i in range(0, len(audio), count)]


def _run(plan: Plan, audio: np.ndarray) -> np.ndarray:
    """Aligned with the input by the declared latency."""
    with plan.session(warm_up=False) as session:
        made = np.concatenate((session.push(audio), session.flush()), -1)
    return made[..., plan.latency_out :][..., : len(audio)]


def test_latency_fits_a_conversation(load: Load, tmp_path: Path) -> None:
    """The layers of RVC's own voices at 48 kHz decide how far the decoder looks ahead."""
    config = [*rvc_example.CONFIG]
    config[10:12] = [3, 7, 11], [[1, 3, 5]] * 3
    config[12], config[14], config[17] = [12, 10, 2, 2], [24, 20, 4, 4], 48000
    torch.save(rvc_example.voice(config, "v1"), tmp_path / "voice.pth")
    plan = load(**{"vars.voice": str(tmp_path / "voice.pth"), "input.rate": 48000}).compile()
    assert 0.1 < plan.latency.algorithmic <= 0.115


def test_measured_latency_is_what_is_declared(load: Load) -> None:
    """Of the pitch, by a tone in silence: with the same content, the source alone differs."""
    quiet = {"use": "dsp.gain", "in": "to16k", "params": {"db": -100}}
    content = {"nodes.quiet": quiet, "nodes.content.in": "quiet", "vars.index": None}
    steady = {"nodes.f0.use": "f0.harvest", "vars.lookahead": "60ms", "vars.extra": "0ms"}
    plan = load(**content, **steady, **SILENT).compile()
    time = np.arange(2 * RATE) / RATE
    tone = 0.1 * sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 9))
    heard = (tone * (np.abs(time - 1.2) < 0.2)).astype(np.float32)
    power = (_run(plan, heard) - _run(plan, 0 * heard)) ** 2
    centre = float((power * time).sum() / power.sum())
    assert centre == pytest.approx(1.2, abs=0.01)  # a frame of the pitch


def test_every_approximation_is_told_and_can_be_switched_off(load: Load) -> None:
    plan = load(**{"vars.index_probes": 2}).compile()  # of 4 lists
    exact = {
        f"nodes.{node.name}.params.{found.param}": found.exact
        for node in report_plan(plan).nodes
        for found in node.approximations
    }
    expected = ["content.params.recompute", "retrieval.params.nprobe", "voice.params.recompute"]
    assert list(exact) == [f"nodes.{name}" for name in expected]
    plan = load(**exact).compile()
    assert "approximations" not in plan.explain()
    assert np.isfinite(_run(plan, _speech(0.5))).all()


@pytest.mark.parametrize(
    "change",
    [
        {"nodes.retrieval.enabled": False},
        {"nodes.f0.use": "f0.dio"},
        {"vars.voice": "other.pth"},
        {"nodes.content.params.recompute": None},
        {"vars.transpose": 7},
    ],
    ids=["bypass", "tracker", "voice", "exact", "var"],
)
def test_a_session_changes_without_a_gap(load: Load, files: Path, change: dict[str, Any]) -> None:
    torch.save(rvc_example.voice(rvc_example.CONFIG, "v1", seed=5), files / "other.pth")
    given = {
        path: str(files / value) if value == "other.pth" else value
        for path, value in change.items()
    }
    audio = _speech(0.1)
    with load(**SILENT).compile().session(warm_up=False) as session:
        made = [session.process(audio) for _ in range(5)]
        swap = session.change(given)
        while not swap.over.is_set() and len(made) < 60:  # the context has to fill
            made.append(session.process(audio))
        assert swap.over.is_set()
        made += [session.process(audio) for _ in range(5)]
    assert np.isfinite(np.concatenate(made)).all()
    assert np.abs(made[-1]).max() > 1e-4


def test_a_session_goes_to_rvc_and_back(load: Load) -> None:
    """By its profile; the small voice looks less far ahead than a real one, which has 112 ms."""
    audio = _speech(0.1)
    plan = load(**SILENT).compile(latency=Fraction(112, 1000))
    with plan.session(warm_up=False) as session:
        for profiles in (("rvc",), ()):
            swap = session.change_profile(*profiles)
            for _ in range(20):
                made = session.process(audio)
            assert swap.over.is_set()
            assert np.isfinite(made).all()
            content = session.plan.find("content").use
            assert content == ("content.hubert" if profiles else "content.hubert_streaming")


def test_a_session_of_rvc_goes_to_rvc_live_and_back(load: Load) -> None:
    """If it was started with the latency that the other needs."""
    there = {
        "nodes.content.use": "content.hubert_streaming",
        "nodes.voice.use": "synth.rvc_streaming",
        "nodes.sola.enabled": False,
    }
    back = {
        "nodes.content.use": "content.hubert",
        "nodes.voice.use": "synth.rvc",
        "nodes.sola.enabled": True,
    }
    audio = _speech(0.1)
    with load("rvc", **SILENT).compile(latency=Fraction(12, 100)).session(warm_up=False) as session:
        for change in (there, back):
            swap = session.change(change)
            for _ in range(15):
                made = session.process(audio)
            assert swap.over.is_set()
            assert np.isfinite(made).all()
            assert session.plan.find("voice").use == change["nodes.voice.use"]


def test_a_snapshot_goes_on_bit_by_bit(load: Load, tmp_path: Path) -> None:
    audio = _speech(1.2)
    plan = load().compile()
    with plan.session(2, warm_up=False) as session:
        session.push(np.stack([audio[:9600], -audio[:9600]])[:, None])
        session.snapshot().save(tmp_path / "state.safetensors")
        rest = np.stack([audio[9600:], audio[9600:]])[:, None]
        expected = session.push(rest)
        with plan.session(2, warm_up=False) as other:
            other.restore(Snapshot.load(tmp_path / "state.safetensors"))
            np.testing.assert_array_equal(other.push(rest), expected)


def test_a_recording_replays_bit_by_bit(load: Load, tmp_path: Path) -> None:
    """With live params, a swap of nodes and a profile on the way."""
    audio = _speech(0.1)
    plan = load().compile(latency=Fraction(112, 1000))
    with plan.session(record=tmp_path / "talk.jsonl", warm_up=False) as session:
        made = [session.process(audio)]
        session.set("pitch.transpose", 5)
        session.change({"nodes.f0.use": "f0.dio"})
        made += [session.process(audio) for _ in range(12)]
        session.change_profile("rvc")
        made += [session.process(audio) for _ in range(12)]
    again = list(replay(plan, tmp_path / "talk.jsonl"))
    np.testing.assert_array_equal(
        np.concatenate([block.reshape(-1) for block in again]), np.concatenate(made)
    )


def test_streams_are_those_of_sessions_of_their_own(load: Load) -> None:
    plan, audio = load(**SILENT).compile(), _speech(1.0)
    both = np.stack([audio, audio[::-1]])[:, None]
    with plan.session(2, warm_up=False) as session:
        made = session.push(both)
    for stream in range(2):
        with plan.session(warm_up=False) as session:
            alone = session.push(both[stream])
        assert_close(made[stream], alone, INAUDIBLE)


def test_a_formant_shift_takes_the_overlap(load: Load) -> None:
    with pytest.raises(PipelineError, match="formant"):
        load(**{"vars.formant": 2}).compile()
    plan = load(profiles=("overlap",), **{"vars.formant": 2}).compile()
    assert np.isfinite(_run(plan, _speech(0.5))).all()


@pytest.mark.parametrize("profile", ["steady", "overlap", "rvc", "quick", "cuda"])
def test_profiles_compile(load: Load, profile: str) -> None:
    block = {"steady": "240ms", "quick": "60ms"}.get(profile, "100ms")
    assert load(profiles=(profile,), block=block).compile().block == parse_duration(block)


def test_one_var_moves_the_pitch_to_that_of_the_voice(load: Load) -> None:
    audio = _speech(6)
    overrides = {"vars.auto_pitch": True, "vars.register": 280, "vars.transpose": 12}
    newest = []
    with load(**overrides).session(warm_up=False) as session:
        for block in np.split(audio, 60):
            session.process(block, taps=["pitch", "auto.shift"])
            newest.append(session.taps["pitch"][0, -10:].copy())
        shift = float(session.taps["auto.shift"][0, 0, 0])
    pitch = np.concatenate(newest[20:])
    middle = np.median(pitch[pitch > 0])
    assert 12 * abs(np.log2(middle / 560)) < 1.5, "semitones from an octave above the register"
    assert shift == pytest.approx(12, abs=1.5)


def test_the_voice_may_not_say_its_pitch(load: Load) -> None:
    with pytest.raises(PipelineError, match="does not state the pitch of its voice") as caught:
        load(**{"vars.auto_pitch": True}).compile()
    assert "nodes.auto.params.recording: FILE.wav" in str(caught.value)


@pytest.mark.parametrize("name", ["rvc", "rvc-live"])
def test_one_var_moves_the_pitch_to_notes(load: Load, name: str) -> None:
    overrides = {"vars.autotune": True, "nodes.tune.params": {"glide": 0, "notes": "A"}}
    with load(name, **overrides).session(warm_up=False) as session:
        for block in np.split(_speech(2), 20):
            session.process(block, taps=["tune"])
        pitch = session.taps["tune"][0]
    voiced = pitch > 0
    assert voiced.mean() > 0.3
    octaves = np.log2(pitch[voiced] / 440)
    assert np.abs(octaves - np.round(octaves)).max() < 1e-3


@pytest.mark.parametrize("name", ["rvc", "rvc-live", "rvc-file"])
def test_pitch_is_as_before_where_nobody_asks(load: Load, name: str) -> None:
    names = {planned.name for planned in load(name).compile().nodes}
    assert not names & {"auto", "tune"}
