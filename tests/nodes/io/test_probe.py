"""``io.probe``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph import conformance
from voicegraph.graph.errors import OutputError, PipelineError, Problem
from voicegraph.graph.files.sound import writer
from voicegraph.graph.pipeline import Pipeline, node

test_conformance = conformance.suite("io.probe")

RATE = 48000
RNG = np.random.default_rng(7)


def _plan(file: Path | None = None, channels: int = 1, **more: Path):
    params = {"file": str(file)} if file else {}
    nodes = {"probe": node("io.probe", "input", **params)}
    last = "probe"
    for name, path in more.items():
        nodes[name] = node("io.probe", last, file=str(path))
        last = name
    pipeline = Pipeline(
        block="10ms", input={"rate": RATE, "channels": channels}, nodes=nodes, output=last
    )
    return pipeline.compile()


def _noise(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def test_audio_passes_bit_for_bit() -> None:
    audio = _noise(2, 480)
    with _plan(channels=2).session() as session:
        assert np.array_equal(session.process(audio), audio)


def test_level_of_each_block() -> None:
    time = np.arange(480) / RATE
    sine = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    with _plan().session() as session:
        session.process(sine, taps=["probe.level"])
        rms, peak = session.taps["probe.level"][0, 0]
        session.process(np.zeros(480, np.float32), taps=["probe.level"])
        silence = session.taps["probe.level"]
    assert rms == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert peak == pytest.approx(20 * np.log10(0.5), abs=0.01)
    assert silence.shape == (1, 1, 2)
    assert (silence == -120).all()


def test_probe_adds_no_latency() -> None:
    nodes = {
        "down": node("dsp.resample", "input", rate=16000),
        "probe": node("io.probe", "down"),
    }
    with_probe = Pipeline(block="10ms", nodes=nodes, output="probe").compile()
    without = Pipeline(block="10ms", nodes={"down": nodes["down"]}, output="down").compile()
    assert with_probe.latency == without.latency


def test_file_holds_what_passed_and_nothing_of_the_warm_up(tmp_path: Path) -> None:
    path = tmp_path / "passed.wav"
    audio = 3 * _noise(4800)  # beyond full scale: floats keep it
    with _plan(path).session() as session:
        session.push(audio)
        assert not path.exists()  # it appears when it is whole
    found, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    assert soundfile.info(path).subtype == "FLOAT"
    assert np.array_equal(found, audio)


def test_streams_become_channels(tmp_path: Path) -> None:
    path = tmp_path / "passed.w64"
    audio = _noise(3, 2, 480)
    with _plan(path, channels=2).session(3) as session:
        session.process(audio)
    found, _ = soundfile.read(path, dtype="float32")
    assert np.array_equal(found.T, audio.reshape(6, 480))


def test_file_survives_an_error_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "passed.wav"
    audio = _noise(480)

    def fail() -> None:
        with _plan(path).session() as session:
            session.process(audio)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert np.array_equal(soundfile.read(path, dtype="float32")[0], audio)


def test_nothing_passed_leaves_no_file(tmp_path: Path) -> None:
    with _plan(tmp_path / "passed.wav").session():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "passed.wav"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match=r"probe: .*passed\.wav exists(.|\n)*another name"):
        _plan(path).session()
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


def test_all_files_that_cannot_be_written_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    first, second = tmp_path / "file" / "a.wav", tmp_path / "file" / "b.wav"
    with pytest.raises(OutputError) as caught:
        _plan(first, another=second, good=tmp_path / "good.wav").session()
    assert [problem.code for problem in caught.value.problems] == ["not-a-folder"] * 2
    assert "probe: " in str(caught.value)
    assert "another: " in str(caught.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_half_a_file_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full after the first block."""
    session = _plan(tmp_path / "passed.wav").session()
    session.process(_noise(480))

    def full(*_: object) -> None:
        raise OutputError(Problem("disk-full", "the disk is full"))

    monkeypatch.setattr(writer.AudioWriter, "write", full)
    with pytest.raises(OutputError, match="probe: the disk is full"), session:
        session.process(_noise(480))
    assert list(tmp_path.iterdir()) == []


def test_two_probes_of_one_name_are_told(tmp_path: Path) -> None:
    path = tmp_path / "passed.wav"
    session = _plan(path, another=path).session()
    session.process(_noise(480))
    with pytest.raises(OutputError, match=r"another: .* exists"):
        session.close()
    assert [found.name for found in tmp_path.iterdir()] == ["passed.wav"]
    session.close()


def test_a_wav_file_ends_at_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_RIFF_LIMIT", 4 * 1000)
    path = tmp_path / "passed.wav"
    audio = _noise(1440)
    with (
        pytest.raises(OutputError, match=r"is full after(.|\n)*passed\.w64"),
        _plan(path).session() as session,
    ):
        session.push(audio)
    assert np.array_equal(soundfile.read(path, dtype="float32")[0], audio[:960])


def test_sessions_of_one_plan_write_their_own_files(tmp_path: Path) -> None:
    path = tmp_path / "passed.wav"
    plan = _plan(path)
    for name in ("first.wav", "second.wav"):
        with plan.session() as session:
            session.process(_noise(480))
        path.rename(tmp_path / name)
    first, second = (soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("first", "second"))
    assert first.shape == second.shape == (480,)
    assert not np.array_equal(first, second)


def test_ending_is_checked(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"ends in \.wav or \.w64"):
        _plan(tmp_path / "passed.mp3")
