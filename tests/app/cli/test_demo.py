"""``voicegraph demo``: the first command a newcomer types."""

from __future__ import annotations

import importlib.util
import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from voicegraph.app.cli import _demo_conversions as demo_conversions
from voicegraph.app.cli import _progress as progress
from voicegraph.app.cli.app import main
from voicegraph.graph.files.sound import _latency_compensation as latency_compensation
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics.f0_contour import RATE, contour
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.synth.source_filter_file import open_source_filter
from voicegraph.schemas.file_report import RunReport

Demo = Callable[..., tuple[int, str, str]]
CHANGER = ("--only", "world")


@pytest.fixture
def demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Demo:
    """``demo(*arguments)`` in an empty folder: exit code, what was printed, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["demo", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


def _left() -> set[str]:
    return {path.as_posix() for path in Path().rglob("*") if path.is_file()}


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Half a second of the recording in its place, for what does not depend on the rest."""
    path = tmp_path_factory.mktemp("clip") / bundled_recording.NAME
    samples, rate = soundfile.read(bundled_recording.path(), frames=8000, start=8000)
    soundfile.write(path, samples, rate)
    monkeypatch.setattr(bundled_recording, "path", lambda: path)
    return path


def test_demo_converts_draws_and_summarises(demo: Demo) -> None:
    pytest.importorskip("matplotlib", reason="the picture is an extra")
    names = ["world", *(path.stem for path in demo_conversions.bundled_voices())]
    assert len(names) > 1
    code, out, _ = demo()
    assert code == 0
    sounds = {f"demo/{name}.wav" for name in names}
    assert _left() == {"demo/original.flac", "demo/demo.png", *sounds}
    assert Path("demo/original.flac").read_bytes() == bundled_recording.path().read_bytes()
    assert Path("demo/demo.png").read_bytes()[:4] == b"\x89PNG"
    for words in ("pipeline world", "pipeline default", "real-time factor", "buffering", "CC BY"):
        assert words in out
    original = _read("demo/original.flac")
    own = _median(original)
    for name in names:
        made = _read(f"demo/{name}.wav")
        assert len(original) == pytest.approx(len(made), abs=1)
        assert 12 * np.log2(_median(made) / own) == pytest.approx(_shift(name, own), abs=2)


def _median(sound: np.ndarray) -> float:
    track = contour(sound)
    return float(np.median(track[track > 0]))


def _shift(name: str, own: float) -> float:
    """By how many semitones the take should be higher than the recording."""
    if name == "world":
        return float(str(Pipeline.load("world").loaded.file.vars["transpose"]))
    (path,) = (path for path in demo_conversions.bundled_voices() if path.stem == name)
    _, card = open_source_filter(path)
    return float(12 * np.log2(card.prosody.median_hz / own))


def _read(path: str) -> np.ndarray:
    """At 16 kHz."""
    samples, rate = soundfile.read(path, dtype="float32")
    assert 0.1 < np.abs(samples).max() < 1.0
    return soxr.resample(samples, rate, RATE)


def test_overrides_json_and_no_picture(demo: Demo, short: Path) -> None:
    code, out, err = demo("made", "--no-picture", "--json", *CHANGER, "--set", "vars.transpose=-4")
    report = RunReport.model_validate_json(out)
    assert (code, err) == (0, "")
    assert [file.pipeline for file in report.files] == ["world"]
    assert report.files[0].target.path == str(Path("made/world.wav"))
    assert _left() == {"made/original.flac", "made/world.wav"}


def test_unknown_conversion_is_named(demo: Demo) -> None:
    code, out, err = demo("--only", "hart", "--no-picture")
    assert (code, out) == (1, "")
    assert "no conversion called hart" in err
    assert "heart" in err
    assert _left() == set()


def test_own_files_are_replaced_and_others_are_not(demo: Demo, short: Path) -> None:
    Path("mine").mkdir()
    Path("mine/world.wav").write_text("mine", encoding="utf-8")
    code, out, err = demo("mine", "--no-picture")
    assert (code, out) == (4, "")
    assert "exists, and is not from an earlier demo" in err
    assert "--force" in err
    assert _left() == {"mine/world.wav"}
    assert demo("mine", "--no-picture", "--force", *CHANGER)[0] == 0
    assert demo("mine", "--no-picture", *CHANGER)[0] == 0


def test_missing_matplotlib_is_reported_first(demo: Demo, monkeypatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else found(name)
    )
    code, out, err = demo()
    assert (code, out) == (1, "")
    assert "the picture needs matplotlib" in err
    assert "pip install" in err
    assert "voicegraph demo --no-picture" in err
    assert _left() == set()


def test_folder_that_cannot_be_created(demo: Demo) -> None:
    Path("file").touch()
    code, _, err = demo("file/demo", "--no-picture")
    assert code == 4
    assert "file is a file, not a folder" in err


def test_wrong_override_is_refused(demo: Demo) -> None:
    code, out, err = demo("--no-picture", "--set", "vars.transpos=3")
    assert (code, out) == (2, "")
    assert "transpose" in err
    assert _left() == set()


def test_ctrl_c_reports_partial_output(demo: Demo, monkeypatch) -> None:
    def press(_: object, done: float, total: float | None) -> None:
        if done > 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(progress.ProgressLines, "__call__", press)
    code, out, _ = demo()
    assert code == 130
    assert "stopped: holds the first" in out
    assert _left() == {"demo/original.flac", "demo/world.wav"}


def test_ctrl_c_before_any_output(demo: Demo, short: Path, monkeypatch) -> None:
    def press(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(latency_compensation.LatencyCompensator, "push", press)
    code, out, err = demo("--no-picture")
    assert (code, out) == (130, "")
    assert err == "stopped before anything was converted\n"
    assert _left() == {"demo/original.flac"}


def test_errors_are_json_too(demo: Demo) -> None:
    Path("demo").mkdir()
    Path("demo/original.flac").touch()
    code, out, _ = demo("--json", "--no-picture")
    assert code == 4
    assert json.loads(out)["error"] == "OutputError"
