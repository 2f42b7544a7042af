"""``voicegraph run``: what it writes, what it says, and what it leaves when it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.app.cli import _progress as progress
from voicegraph.app.cli.app import main
from voicegraph.graph import random
from voicegraph.graph.files.sound import _latency_compensation as latency_compensation
from voicegraph.schemas.file_report import RunReport

from ...tolerance import SAMPLES, STEP_24_BIT, assert_close

PIPELINE = """\
block: 10ms
vars: {db: -6}
nodes:
  gain: {use: dsp.gain, in: input, params: {db: $db}}
  limit: {use: dsp.limiter, in: gain, params: {ceiling: 0}}
output: limit
profiles:
  loud: {vars.db: 20}
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a pipeline ``p.yaml`` and a sound ``in.wav``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.yaml").write_text(PIPELINE, encoding="utf-8")
    _sound("in.wav")
    return tmp_path


def _sound(name: str, frames: int = 24_000, rate: int = 48000, channels: int = 1) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = 0.1 * random.normal(0, name, 0, 0, frames * channels).reshape(frames, channels)
    soundfile.write(path, samples, rate)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(*arguments)``: exit code, what was printed, and what went to standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["run", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


def _left(folder: Path) -> set[str]:
    """Everything but what was there at the beginning."""
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return files - {"p.yaml", "in.wav"}


# ---- the form of the output ---------------------------------------------------------------------


def test_form_of_the_output_is_asked_for_and_said(folder: Path, run: Run) -> None:
    code, out, _ = run(
        *("p.yaml", "in.wav", "out.mp3", "--rate", "44100", "--channels", "2", "--bitrate", "192")
    )
    assert code == 0
    assert "44100 Hz stereo, MP3 MPEG_LAYER_III 192 kbit/s" in out
    found = soundfile.info("out.mp3")
    assert (found.samplerate, found.channels, found.frames) == (44100, 2, 22_050)


def test_folder_of_mp3_becomes_wav_where_mp3_cannot_hold_the_rate(folder: Path, run: Run) -> None:
    for name in ("a.mp3", "b.mp3", "c.wav"):
        _sound(f"songs/{name}")
    (folder / "p40.yaml").write_text(
        "block: 100ms\nnodes:\n  out: {use: dsp.resample, in: input, params: {rate: 40000}}\n"
        "output: out\n",
        encoding="utf-8",
    )
    code, out, _ = run("p40.yaml", "songs", "made/")
    assert code == 0
    assert {path.name for path in (folder / "made").iterdir()} == {"a.wav", "b.wav", "c.wav"}
    assert out.count("note: written as WAV: MP3 MPEG_LAYER_III cannot hold 40000 Hz") == 2
    code, out, err = run("p40.yaml", "songs", "other/", "--format", "mp3")
    assert code == 4
    assert err.count("fix: --rate 44100, or --format wav") == 1
    assert not (folder / "other").exists()
    code, out, _ = run("p40.yaml", "songs", "third/", "--format", "mp3", "--rate", "44100")
    assert code == 0


def test_audio_that_cannot_be_read_fails_with_the_line_that_converts_it(
    folder: Path, run: Run
) -> None:
    _sound("in/a.wav")
    (folder / "in" / "memo").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(200))
    (folder / "in" / "b.wma").write_bytes(b"0&\xb2u\x8ef\xcf\x11" + bytes(200))
    (folder / "in" / "notes.txt").write_text("not audio", encoding="utf-8")
    code, out, err = run("p.yaml", "in", "made/")
    assert code == 3
    assert 'fix: ffmpeg -i "in/memo" "in/memo.wav"' in err.replace("\\", "/")
    assert 'fix: ffmpeg -i "in/b.wma" "in/b.wav"' in err.replace("\\", "/")
    assert "1 of 3 files written; 2 failed" in out
    assert "skipped, since they are not audio: 1" in out


@pytest.mark.parametrize(
    ("right", "loss"),
    [(-1.0, "they cancel each other"), (0.0, "6.0 dB quieter than channel 1 alone")],
)
def test_mixdown_that_loses_sound_says_so(folder: Path, run: Run, right: float, loss: str) -> None:
    tone = 0.3 * np.sin(np.arange(24_000) * 0.03)
    soundfile.write("two.wav", np.stack([tone, right * tone], 1), 48000)
    code, out, _ = run("p.yaml", "two.wav", "out.wav", "--set", "vars.db=0")
    assert code == 0
    assert loss in out
    assert "--input-select 1" in out
    code, out, _ = run("p.yaml", "two.wav", "one.wav", "--set", "vars.db=0", "--input-select", "1")
    assert "quieter" not in out
    assert np.abs(soundfile.read("one.wav")[0]).max() > 0.29


def test_usual_stereo_is_mixed_without_a_word(folder: Path, run: Run) -> None:
    _sound("two.wav", channels=2)
    _, out, _ = run("p.yaml", "two.wav", "out.wav")
    assert "quieter" not in out


def test_channel_that_the_input_lacks_is_an_error(folder: Path, run: Run) -> None:
    code, _, err = run("p.yaml", "in.wav", "out.wav", "--input-select", "2")
    assert code == 3
    assert "in.wav is mono, and no channel 2" in err
    assert run("p.yaml", "in.wav", "out.wav", "--input-select", "left")[0] == 2


# ---- what works ---------------------------------------------------------------------------------


def test_one_file_is_converted(folder: Path, run: Run) -> None:
    code, out, err = run("p.yaml", "in.wav", "out.flac")
    assert (code, err) == (0, "")
    assert out.startswith("out.flac: 0.50 s, 48000 Hz mono, FLAC PCM_24; ")
    assert "x real time (RTF 0." in out
    assert out.endswith("0 samples clipped, 0 blocks silenced\n")
    made, expected = soundfile.read("out.flac")[0], soundfile.read("in.wav")[0]
    assert_close(made, expected * 10 ** (-6 / 20), SAMPLES)


def test_overrides_profiles_and_clipping(folder: Path, run: Run) -> None:
    code, out, _ = run("p.yaml", "in.wav", "out.wav", "--profile", "loud", "--set", "output=gain")
    assert code == 0
    assert "0 samples clipped" not in out
    assert "dBFS: lower the level, or write a .wav with --subtype float" in out
    assert run("p.yaml", "in.wav", "f.wav", "--profile", "loud", "--subtype", "float")[0] == 0
    assert soundfile.info("f.wav").subtype == "FLOAT"


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (11025, 1), (8000, 3)])
def test_any_rate_and_channel_count(folder: Path, run: Run, rate: int, channels: int) -> None:
    _sound("other.wav", 12_345, rate, channels)
    code, out, _ = run("p.yaml", "other.wav", "out.wav")
    assert code == 0
    assert soundfile.info("out.wav").frames == round(12_345 * 48000 / rate)
    assert ("note: 11025 Hz has no whole number" in out) is (rate == 11025)


def test_taps_and_trace_are_written(folder: Path, run: Run) -> None:
    code, out, _ = run(
        "p.yaml", "in.wav", "out.wav",
        "--tap", "gain=gain.npz", "--tap", "input=taps.npz", "--trace", "t.json",
    )  # fmt: skip
    assert code == 0
    assert "gain: gain.npz" in out
    assert "trace: t.json" in out
    with np.load("taps.npz") as found:
        assert_close(found["values"][0, :24_000], soundfile.read("in.wav")[0], STEP_24_BIT)
    assert len(json.loads(Path("t.json").read_text(encoding="utf-8"))) > 100


def test_json_is_a_run_report(folder: Path, run: Run) -> None:
    code, out, err = run("p.yaml", "in.wav", "out.wav", "--json")
    report = RunReport.model_validate_json(out)
    assert (code, err) == (0, "")
    assert report.files[0].target.path == "out.wav"
    assert report.files[0].target.frames == 24_000
    assert not report.stopped


def test_quiet_prints_only_errors(folder: Path, run: Run) -> None:
    assert run("p.yaml", "in.wav", "out.wav", "--quiet") == (0, "", "")


def test_folder_keeps_its_tree(folder: Path, run: Run) -> None:
    _sound("voices/a.wav")
    _sound("voices/deep/b.flac", rate=44100)
    Path("voices/readme.txt").write_text("no sound", encoding="utf-8")
    code, out, _ = run("p.yaml", "voices/", "made/", "--tap", "gain=taps/{name}.npz")
    assert code == 0
    assert out.endswith("2 of 2 files written; skipped, since they are not audio: 1\n")
    assert _left(folder / "made") == {"a.wav", "deep/b.flac"}
    assert _left(folder / "taps") == {"a.npz", "deep/b.npz"}


def test_one_bad_file_does_not_stop_the_others(folder: Path, run: Run) -> None:
    _sound("voices/a.wav")
    Path("voices/b.wav").write_text("no sound at all", encoding="utf-8")
    _sound("voices/c.wav")
    code, out, err = run("p.yaml", "voices", "made/")
    assert code == 3
    assert "b.wav is not readable audio" in err
    assert f"2 of 3 files written; 1 failed: {Path('voices/b.wav')}" in out
    assert _left(folder / "made") == {"a.wav", "c.wav"}
    code, out, _ = run("p.yaml", "voices", "made/", "--json")
    report = RunReport.model_validate_json(out)
    assert code == 1  # files that exist are another mistake than a file that is no audio
    assert {f.problems[0].code for f in report.failed} == {"exists", "not-audio"}
    assert report.files == []


def test_missing_file_among_several(folder: Path, run: Run) -> None:
    code, _, err = run("p.yaml", "in.wav", "gone.wav", "made/")
    assert code == 3
    assert "there is no file gone.wav" in err
    assert _left(folder) == {"made/in.wav"}


# ---- what a terminal shows ----------------------------------------------------------------------


def test_long_runs_print_progress(folder: Path, run: Run, monkeypatch) -> None:
    monkeypatch.setattr(progress, "_EVERY_S", 0.0)
    _sound("long.wav", 300_000)
    _, _, err = run("p.yaml", "long.wav", "out.wav")
    lines = err.splitlines()
    assert len(lines) == 25
    assert lines[9].startswith("long.wav: 2 of 6 s, ")
    assert lines[9].endswith(" s left")
    assert "x real time" in lines[9]


def test_bar_on_a_terminal(folder: Path, run: Run, monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    _, _, err = run("p.yaml", "in.wav", "out.wav")
    assert "in.wav" in err
    assert "100%" in err
    assert "x real time" in err


# ---- what is wrong with the files ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "words", "fix"),
    [
        (["p.yaml", "gone.wav", "out.wav"], 3, "there is no file gone.wav", None),
        (["p.yaml", "inn.wav", "out.wav"], 3, "similar names in that folder: in.wav", "in.wav"),
        (["p.yaml", "p.yaml", "out.wav"], 3, "it looks like text", None),
        (["p.yaml", "empty.wav", "out.wav"], 3, "empty.wav is empty: it has 0 bytes", None),
        (["p.yaml", "zero.wav", "out.wav"], 3, "zero.wav holds no samples", None),
        (["p.yaml", "cut.wav", "out.wav"], 3, "truncated or damaged", "--salvage"),
        (["p.yaml", "bare", "out/"], 3, "the folder bare holds no audio", None),
        (["p.yaml", "*.ogg", "out/"], 3, "no file matches *.ogg", None),
        (["p.yaml", "in.wav", "old.wav"], 4, "old.wav exists", "--force"),
        (["p.yaml", "in.wav", "in.wav", "--force"], 4, "is the input itself", "in.converted.wav"),
        (["p.yaml", "in.wav", "p.yaml/out.wav"], 4, "p.yaml is a file", "in a folder"),
        (["p.yaml", "in.wav", "out.m4a"], 4, "out.m4a ends in .m4a", "out.wav"),
        (["p.yaml", "in.wav", "out"], 4, "is it a file or a folder?", "out/ for a folder"),
        (["p.yaml", "in.wav", "out.flac", "--subtype", "float"], 4, "no encoding 'float'", "pcm"),
        (["p.yaml", "in.wav", "out.wav", "--format", "flac"], 4, "does not go with", "out.flac"),
        (["p.yaml", "in.wav", "in.wav", "out.wav"], 4, "cannot become one file", "out/"),
        (["p.yaml", "in.wav", "o.wav", "--tap", "gain=g.txt"], 4, "not end in .npz", "gain=g.npz"),
        (["p.yaml", "in.wav", "o.wav", "--tap", "gain=in.wav/g.npz"], 4, "in.wav is a file", None),
        (["p.yaml", "in.wav", "o.wav", "--tap", "old=g.npz"], 2, "old", None),
        (["p.yaml", "in.wav", "o.wav", "--tap", "gain"], 2, "is not NODE.PORT=FILE.npz", None),
        (["p.yaml", "in.wav", "o.wav", "--trace", "old.wav"], 4, "old.wav exists", "--force"),
        (["p.yaml", "in.wav", "three.mp3", "--set", "input.channels=3"], 4,
         "2 channels", "--channels 1"),
        (["p.yaml", "bad.wav", "out.wav"], 6, "the first at 0.125 s", "on_nan: silence"),
        (["p.yaml", "in.wav", "out.wav", "--set", "output=f0", "--set",
          "nodes.f0={use: f0.dio, in: to}", "--set",
          "nodes.to={use: dsp.resample, in: input, params: {rate: 16000}}"],
         2, "a sound file needs audio", "--tap f0.pitch"),
        (["gone.yaml", "in.wav", "out.wav"], 2, "gone.yaml", None),
        (["p.yaml", "in.wav"], 2, "Missing argument", None),
    ],
)  # fmt: skip
def test_mistake_prints_cause_and_fix_and_leaves_nothing(
    folder: Path, run: Run, arguments: list[str], code: int, words: str, fix: str | None
) -> None:
    _wrong_files()
    before = _left(folder)
    found, out, err = run(*arguments)
    assert found == code
    assert out == ""
    assert words in err
    if fix:
        assert fix in err.partition("fix: ")[2]
    assert _left(folder) == before
    assert Path("old.wav").read_text(encoding="utf-8") == "mine"


def _wrong_files() -> None:
    Path("empty.wav").touch()
    Path("bare").mkdir()
    Path("old.wav").write_text("mine", encoding="utf-8")
    soundfile.write("zero.wav", np.zeros((0, 1)), 48000)
    whole = _sound("cut.wav").read_bytes()
    Path("cut.wav").write_bytes(whole[: len(whole) // 2])
    samples = np.zeros(24_000, np.float32)
    samples[6000] = np.nan
    soundfile.write("bad.wav", samples, 48000, "FLOAT")


def test_on_nan_silence_replaces_nan(folder: Path, run: Run) -> None:
    _wrong_files()
    code, out, _ = run("p.yaml", "bad.wav", "out.wav", "--set", "on_nan=silence")
    assert code == 0
    assert "1 blocks silenced" in out
    assert "NaN or infinite values were replaced by silence" in out


def test_salvage_converts_truncated_input(folder: Path, run: Run) -> None:
    _wrong_files()
    code, out, _ = run("p.yaml", "cut.wav", "out.wav", "--salvage")
    assert code == 0
    assert "note: cut.wav is truncated or damaged" in out


def test_errors_are_json_too(folder: Path, run: Run) -> None:
    code, out, _ = run("p.yaml", "gone.wav", "out.wav", "--json")
    assert code == 3
    assert json.loads(out)["problems"][0]["code"] == "no-such-file"


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="needs permissions that bind",
)
def test_read_only_folder_is_reported(folder: Path, run: Run) -> None:
    Path("locked").mkdir(mode=0o500)
    code, _, err = run("p.yaml", "in.wav", "locked/out.wav")
    assert code == 4
    assert "Permission denied" in err
    assert "fix: give a name in a folder that you may write to" in err


def test_full_disk_leaves_no_file(folder: Path, run: Run) -> None:
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    _sound("long.wav", 500_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        code, _, err = run("p.yaml", "long.wav", "out.wav")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 4
    assert "out.wav cannot be continued after" in err
    assert _left(folder) == {"long.wav"}


# ---- Ctrl-C -------------------------------------------------------------------------------------


def test_ctrl_c_keeps_finished_output(folder: Path, run: Run, monkeypatch) -> None:
    def press(_: object, done: float, total: float | None) -> None:
        if done > 2.5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(progress.ProgressLines, "__call__", press)
    _sound("long.wav", 400_000)
    code, out, _ = run("p.yaml", "long.wav", "out.wav")
    made = soundfile.info("out.wav")
    assert code == 130
    assert 2.0 < made.duration < 5.0
    assert f"stopped: it contains only the first {made.duration:.2f} s" in out
    assert _left(folder) == {"long.wav", "out.wav"}


def test_ctrl_c_stops_a_batch_after_the_current_file(folder: Path, run: Run, monkeypatch) -> None:
    def press(display: progress.ProgressLines, done: float, _: float | None) -> None:
        if "b.wav" in display._name:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(progress.ProgressLines, "__call__", press)
    for name in "abc":
        _sound(f"voices/{name}.wav", 100_000)
    code, out, _ = run("p.yaml", "voices", "made/")
    assert code == 130
    assert out.endswith("2 of 3 files written\n")
    assert _left(folder / "made") == {"a.wav", "b.wav"}


@pytest.mark.parametrize(
    "name", [name for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
)
def test_termination_ends_as_ctrl_c_does(folder: Path, run: Run, monkeypatch, name: str) -> None:
    number = getattr(signal, name)

    def end(*_: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(latency_compensation.LatencyCompensator, "push", end)
    before = signal.signal(number, signal.SIG_DFL)  # tests themselves may run under nohup
    try:
        code, out, err = run("p.yaml", "in.wav", "out.wav")
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)
    assert (code, out) == (128 + number, "")
    assert err == "stopped before anything was written\n"
    assert _left(folder) == set()


def test_ctrl_c_before_any_output(folder: Path, run: Run, monkeypatch) -> None:
    def press(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(latency_compensation.LatencyCompensator, "push", press)
    code, out, err = run("p.yaml", "in.wav", "out.wav")
    assert (code, out) == (130, "")
    assert err == "stopped before anything was written\n"
    code, out, _ = run("p.yaml", "in.wav", "out.wav", "--json")
    assert code == 130
    assert RunReport.model_validate_json(out).stopped
    assert _left(folder) == set()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C reaches the tests, too")
def test_interrupt_signal_from_outside(folder: Path) -> None:
    _sound("long.wav", 20_000_000)
    command = [sys.executable, "-m", "voicegraph", "run", "p.yaml", "long.wav", "out.wav"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        deadline = time.monotonic() + 120
        while not any(f.stat().st_size > 1_000_000 for f in folder.glob(".voicegraph-*")):
            assert time.monotonic() < deadline
            assert p.poll() is None
            time.sleep(0.05)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=60)
    assert p.returncode == 130
    assert "stopped: it contains only the first" in out
    assert "Traceback" not in err
    assert soundfile.info("out.wav").frames > 300_000
    assert _left(folder) == {"long.wav", "out.wav"}
