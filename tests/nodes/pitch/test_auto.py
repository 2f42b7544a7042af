"""``pitch.auto``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.graph import Audio, In, Mask, Node, NodeParams, Out, Pitch, conformance, registry
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.files.models import identify
from voicegraph.graph.files.models.conversion import write
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.synth import _source_filter_example, rvc_example
from voicegraph.nodes.synth.source_filter_file import open_source_filter
from voicegraph.schemas.voice_register import VoiceRegister

from ...tolerance import TENTH_OF_A_CENT, assert_close, share

pytestmark = pytest.mark.numeric

test_conformance = conformance.suite("pitch.auto")

RATE = 1000
"""One frame is ten samples: the first is its F0, the second its voicing."""


class CarriedParams(NodeParams):
    """Params of the test's node."""


class Carried(Node[CarriedParams, None]):
    """F0 and voicing that the audio carries."""

    pure = True
    audio = In(Audio)
    pitch = Out(Pitch, rate=100)
    voiced = Out(Mask, rate=100)

    def process(self, inputs, params, state):
        frames = inputs["audio"][:, 0].unfold(1, 10, 10)
        return {"pitch": frames[..., 0].clone(), "voiced": frames[..., 1].clone()}


@pytest.fixture(autouse=True, scope="module")
def _carried() -> Iterator[None]:
    with registry.isolated({"test.carried": Carried}):
        yield


def _pipeline(block: str = "100ms", told: bool = True, **params: Any) -> Pipeline:
    inputs = {"pitch": "f0", "voiced": "f0.voiced"} if told else "f0"
    return Pipeline(
        block=block,
        input={"rate": RATE},
        nodes={
            "f0": {"use": "test.carried", "in": "input"},
            "auto": {"use": "pitch.auto", "in": inputs, "params": params},
            "pitch": {"use": "pitch.register", "in": "auto", "params": {"mode": "fixed"}},
        },
        output="pitch",
    )


def _audio(f0: np.ndarray, voiced: np.ndarray | None = None) -> np.ndarray:
    made = np.zeros((len(f0), 10), np.float32)
    made[:, 0] = f0
    made[:, 1] = f0 > 0 if voiced is None else voiced
    return made.ravel()


def _moved(f0: np.ndarray, block: str = "100ms", **params: Any) -> np.ndarray:
    with _pipeline(block, **params).session(warm_up=False) as session:
        return session.push(_audio(f0))


def _speech(middle: float, seconds: float, seed: int = 1) -> np.ndarray:
    """Words with falling pitch and pauses between them; their median is about ``middle`` Hz."""
    chance = np.random.default_rng(seed)
    made = []
    while sum(map(len, made)) < seconds * 100:
        fall = np.linspace(3, -3, chance.integers(20, 60)) + chance.normal(0, 1)
        made += [middle * 2 ** (fall / 12), np.zeros(chance.integers(5, 30))]
    return np.concatenate(made)[: int(seconds * 100)]


def _median(f0: np.ndarray) -> float:
    return float(np.median(f0[f0 > 0]))


@pytest.mark.parametrize("middle", [95.0, 210.0, 330.0])
def test_register_goes_to_the_target(middle: float) -> None:
    f0 = _speech(middle, 15)
    found = _moved(f0, target=190.0)
    assert 12 * abs(np.log2(_median(found[500:]) / 190)) < 0.5, "semitones"
    np.testing.assert_array_equal(found > 0, f0 > 0)


def test_it_shifts_as_pitch_register_does() -> None:
    """The same estimate, here in windows; blocks of any size give the same."""
    f0 = _speech(120, 8)
    nodes = {
        "f0": {"use": "test.carried", "in": "input"},
        "pitch": {
            "use": "pitch.register",
            "in": {"pitch": "f0", "voiced": "f0.voiced"},
            "params": {"target": 220.0, "range": 1.3, "follow": "5s"},
        },
    }
    plan = Pipeline(block="100ms", input={"rate": RATE}, nodes=nodes, output="pitch").compile()
    with plan.session(warm_up=False) as session:
        expected = session.push(_audio(f0))
    for block in ("10ms", "70ms", "400ms"):
        found = _moved(f0, block, target=220.0, range=1.3)
        count = min(len(found), len(expected))
        assert_close(found[:count], expected[:count], TENTH_OF_A_CENT)


def test_it_glides_when_another_speaks() -> None:
    f0 = np.concatenate([_speech(110, 15), _speech(220, 30, 2)])
    found = _moved(f0, target=190.0, settle="10s")
    voiced = f0 > 0
    shift = 12 * np.log2(found[voiced] / f0[voiced])
    near = np.diff(np.flatnonzero(voiced)) == 1
    assert np.abs(np.diff(shift)[near]).max() < 0.5, "semitones a frame"
    assert 12 * abs(np.log2(_median(found[4000:]) / 190)) < 0.5


def test_frozen_shift_stays_until_it_is_released() -> None:
    with _pipeline(target=190.0, settle="2s").session(warm_up=False) as session:
        session.push(_audio(_speech(110, 8)))
        session.set("auto.freeze", True)
        other = np.full(400, 220.0)
        held = session.push(_audio(other))
        session.set("auto.freeze", False)
        released = session.push(_audio(np.full(2000, 220.0)))
    shift = 12 * np.log2(held / other)
    assert np.ptp(shift) < 1e-3
    assert shift[0] == pytest.approx(12 * np.log2(190 / 110), abs=0.7)
    assert 12 * abs(np.log2(released[-1] / 190)) < 0.5


def test_frozen_from_the_beginning_changes_nothing() -> None:
    f0 = _speech(110, 2)
    assert_close(_moved(f0, target=190.0, freeze=True), f0, TENTH_OF_A_CENT)


def test_filled_frames_move_along_and_do_not_count() -> None:
    f0 = _speech(110, 10)
    voiced = f0 > 0
    with _pipeline(target=190.0).session(warm_up=False) as session:
        found = session.push(_audio(np.where(voiced, f0, 400.0), voiced))
    assert_close(found[voiced], _moved(f0, target=190.0)[voiced], TENTH_OF_A_CENT)
    first = np.flatnonzero(voiced)[0]
    assert (found[~voiced][first:] > 400).all()


def test_it_states_shift_and_uncertainty() -> None:
    with _pipeline(target=220.0).session(warm_up=False) as session:
        size = session.plan.samples_in
        audio = _audio(np.full(400, 110.0))
        found = []
        for start in range(0, len(audio), size):
            session.process(audio[start : start + size], taps=["auto.shift", "auto.uncertainty"])
            found.append(
                [float(session.taps[f"auto.{k}"][0, 0, 0]) for k in ("shift", "uncertainty")]
            )
    shift, uncertainty = np.array(found).T
    assert shift[-1] == pytest.approx(12, abs=1.5)
    assert (np.diff(uncertainty) < 0).all()
    assert uncertainty[9] == pytest.approx(1.17, abs=0.01), "after a second of speech"
    with _pipeline(target=220.0, start=110.0).session(warm_up=False) as session:
        session.process(audio[:size], taps=["auto.uncertainty"])
        assert session.taps["auto.uncertainty"][0, 0, 0] < 0.05


def test_before_the_cache_numbers_of_revised_frames_agree() -> None:
    """In a chain as in ``rvc``: what the cache keeps is the tracker's pitch, shifted."""

    def track(auto: bool) -> np.ndarray:
        nodes = {
            "f0": {"use": "f0.dio", "in": "input"},
            "auto": {
                "use": "pitch.auto",
                "in": {"pitch": "f0", "voiced": "f0.voiced"},
                "enabled": auto,
                "params": {"target": 240.0, "start": 120.0},
            },
            "pitch": {"use": "pitch.cache", "in": {"pitch": "auto", "voiced": "f0.voiced"}},
        }
        pipeline = Pipeline(block="100ms", input={"rate": 16000}, nodes=nodes, output="pitch")
        time = np.arange(32000) / 16000
        parts = [np.cos(2 * np.pi * 120 * k * time) / k for k in range(1, 12)]
        with pipeline.session(warm_up=False) as session:
            return session.push((0.1 * np.sum(parts, 0)).astype(np.float32))

    plain, shifted = track(False), track(True)
    np.testing.assert_array_equal(plain > 0, shifted > 0)
    voiced = plain > 0
    assert voiced.mean() > 0.7
    assert_close(shifted[voiced] / plain[voiced], 2.0, share(0.02, "35 cents: the estimate"))


def test_target_of_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    time = np.arange(3 * 16000) / 16000
    buzz = np.sum([np.cos(2 * np.pi * 170 * k * time) / k for k in range(1, 12)], 0)
    soundfile.write(path, 0.1 * buzz, 16000)
    f0 = np.full(300, 120.0)
    found, expected = _moved(f0, recording=path), _moved(f0, target=170.0)
    assert_close(found, expected, share(0.005, "9 cents, of the tracker"))


def test_target_of_a_card(tmp_path: Path) -> None:
    """Of an RVC voice of which somebody has measured it, and of one of ours."""
    rvc_example.write(tmp_path)
    found = identify(tmp_path / "voice.pth")
    assert found.kind is not None
    tensors, card = found.kind.convert(found.path, found.archive)
    stated = card.model_copy(update={"pitch": VoiceRegister(median_hz=205.0)})
    rvc = tmp_path / "stated.safetensors"
    write(tensors, stated, rvc, force=False)
    (tmp_path / "ours").mkdir()
    _source_filter_example.write(tmp_path / "ours")
    ours = next((tmp_path / "ours").glob("*.safetensors"))
    f0 = np.full(100, 120.0)
    for voice, hertz in ((rvc, 205.0), (ours, open_source_filter(ours)[1].prosody.median_hz)):
        np.testing.assert_array_equal(_moved(f0, voice=voice), _moved(f0, target=hertz))
    with pytest.raises(PipelineError, match="does not state the pitch of its voice"):
        _pipeline(voice=tmp_path / "voice.pth").compile()


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("silent.wav", np.zeros(16000), r"0\.0 s of voiced speech, which is too little"),
        ("text.wav", None, "cannot be read as a recording"),
    ],
    ids=["silence", "text"],
)
def test_other_recordings_are_refused(
    tmp_path: Path, name: str, content: np.ndarray | None, text: str
) -> None:
    path = tmp_path / name
    if content is None:
        path.write_text("no sound")
    else:
        soundfile.write(path, content, 16000)
    with pytest.raises(PipelineError, match=text) as caught:
        _pipeline(recording=path).session()
    assert "nodes.auto.params.recording:" in str(caught.value)


def test_a_missing_recording_is_reported_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"none\.wav cannot be read .*: No such file"):
        _pipeline(recording=tmp_path / "none.wav").compile()


def test_without_a_target() -> None:
    with pytest.raises(PipelineError, match="nothing says it") as caught:
        _pipeline().compile()
    assert "nodes.auto.params.target: 220" in str(caught.value)
