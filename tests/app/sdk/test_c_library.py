"""The compiled library, called by a program in C."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from voicegraph.app.sdk.rvc_config import RvcConfig
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.signals import Audio

from .conftest import Call, compiled, run_program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="caller.c uses POSIX threads")

GAIN = """\
block: 10ms
nodes:
  low: {use: dsp.gain, in: input, params: {db: -6}}
output: low
"""


@pytest.fixture
def gain(tmp_path: Path) -> Path:
    path = tmp_path / "gain \u00fc.yaml"  # whatever the locale of the program is
    path.write_text(GAIN, encoding="utf-8")
    return path


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Two seconds at 48 kHz, as raw samples."""
    path = tmp_path / "in.f32"
    samples = bundled_recording.speech(Audio(Fraction(48000), 1))
    samples.reshape(-1)[:96000].astype("<f4").tofile(path)
    return path


def _in_python(plan: Plan, path: Path) -> np.ndarray:
    """What a session gives for raw samples, interleaved."""
    given = np.fromfile(path, "<f4")
    count = len(given) // plan.samples_in
    with plan.session() as session:
        made = [
            session.process(block) for block in np.split(given[: count * plan.samples_in], count)
        ]
    return np.concatenate([block.T.reshape(-1) for block in made])


def _samples(path: Path) -> np.ndarray:
    return np.fromfile(path, "<f4")


def test_every_wrong_call_gives_a_sentence(call: Call, gain: Path) -> None:
    ran = call("mistakes", gain, LC_ALL="C")
    assert (ran.code, ran.err) == (0, "")
    said = ran.facts
    wrong = {
        "late python": (24, "Python runs already"),
        "null handle": (21, "the handle is NULL"),
        "null in": (20, "in is NULL"),
        "null out": (20, "out is NULL"),
        "frames": (22, "a block is 480 frames in and 480 frames out, not 481 and 480"),
        "negative": (22, "not -1 and -1"),
        "nan": (6, "NaN or infinite"),
        "param": (7, "there is no param low.loudness"),
        "range": (7, "low.db cannot be nan"),
        "get nothing": (7, "there is no param no.such"),
        "bad swap": (7, "another hot swap is in progress"),
        "null array": (20, "overrides is NULL, and their number is 2"),
        "missing": (2, "no shipped pipeline is called 'no-such-pipeline'"),
        "override": (2, "db is 'loud', expected a number"),
        "not text": (20, "overrides[0] is not UTF-8: byte 1 is 0xff"),
        "null text": (20, "overrides[0] is NULL"),
        "count": (20, "the number of overrides is -2"),
        "null pipeline": (20, "pipeline is NULL"),
        "size": (20, "options.size is 9999"),
        "rate": (20, "in_rate is -5"),
        "rvc with a session": (20, "rvc_* takes those of rvc_create()"),
        "config": (2, "rvc_config_t.device is 7"),
        "null config": (20, "config is NULL"),
        "stray": (21, "there is no such handle"),
        "twice": (21, "the handle is closed"),
        "used": (21, "the handle is closed"),
    }
    for name, (code, text) in wrong.items():
        _, found, message = said[name].split(" ", 2)
        assert (name, int(found)) == (name, code)
        assert text in message
    for name in ("good", "set", "get", "text", "swap", "reset", "close", "null close"):
        assert (name, said[name]) == (name, "0 0 ")
    assert (said["number"], said["written"]) == ("-3.5", "-7")
    assert said["silent"] == said["small"] == "1"
    assert said["no err"].startswith("22 0")
    assert said["adapted"] == "44100 48000 2"
    assert json.loads(said["status"])["pipeline"] == "gain \u00fc"


def test_sessions_on_threads_have_the_bits_of_python(
    call: Call, speech: Path, tmp_path: Path
) -> None:
    ran = call("process", "default-live", speech, tmp_path / "out", 2, "vars.transpose=2")
    assert ran.code == 0, ran.out
    wanted = _in_python(Pipeline.load("default-live", {"vars.transpose": 2}).compile(), speech)
    for session in range(2):
        np.testing.assert_array_equal(_samples(tmp_path / f"out.{session}"), wanted)


@pytest.mark.parametrize(("channels", "method", "protect"), [(1, 0, 0), (2, 2, 1)])
def test_rvc_has_the_bits_of_python(
    call: Call,
    speech: Path,
    tmp_path: Path,
    write_models: Callable[..., None],
    channels: int,
    method: int,
    protect: int,
) -> None:
    write_models(tmp_path)
    names = [str(tmp_path / n) for n in ("hubert.safetensors", "voice.pth", "added.index")]
    ran = call("rvc", *names, speech, tmp_path / "out", channels, method, protect)
    assert ran.code == 0, ran.out
    said = ran.facts
    assert said["frames"] == "12000"
    assert said["early"].startswith("23 23 rvc_load_models() has not been called")
    assert "there is no such file" in said["missing"]
    assert said["after"].startswith("23 23 rvc_load_models() has failed")
    assert "12000 frames in and 12000 frames out, not 11999" in said["short"]
    assert said["load"] == said["set"] == "0 0 "
    assert said["destroyed"].startswith("21 21 the handle is closed")
    assert said["size"] == "-21"
    config = RvcConfig(0, 48000, channels, 0.25, 0.05, 0.5, 1, 0.5, protect, method)
    pipeline = Pipeline.load("rvc", config.overrides(*names))
    plan = pipeline.compile(target=Audio(Fraction(48000), channels))
    np.testing.assert_array_equal(_samples(tmp_path / "out"), _in_python(plan, speech))


def test_closing_is_safe_while_others_process_and_set(call: Call, gain: Path) -> None:
    ran = call("race", gain)
    assert ran.code == 0, ran.out
    assert set(re.findall(r"ended: (\d+)", ran.out)) <= {"7", "21"}


def test_threads_may_open_sessions_at_once(call: Call, gain: Path) -> None:
    ran = call("together", gain, "default-live", gain, "no-such-pipeline", gain)
    assert ran.code == 0
    codes = [line.removeprefix("codes: ") for line in ran.out.splitlines()]
    assert codes == ["0 0 0", "0 0 0", "0 0 0", "2 0 0", "0 0 0"]


def test_threads_may_start_the_interpreter_at_once(call: Call) -> None:
    ran = call("start")
    assert ran.out == "codes: 0 0 0 0\ninit: 0 0 \n"


def test_a_python_without_voicegraph_is_refused(call: Call, tmp_path: Path) -> None:
    import venv

    venv.create(tmp_path / "bare", symlinks=True)
    ran = call("start", tmp_path / "bare" / "bin" / "python")
    assert ran.facts["codes"] == "24 24 24 24"
    assert "cannot be loaded" in ran.facts["init"]
    assert "No module named" in ran.facts["init"]
    assert str(tmp_path / "bare") in ran.facts["init"]
    assert ran.err == ""


def test_a_python_that_is_gone_is_named(call: Call, tmp_path: Path) -> None:
    ran = call("start", VOICEGRAPH_PYTHON=str(tmp_path / "gone"))
    assert ran.facts["init"].startswith(f"24 24 there is no Python {tmp_path / 'gone'}")


def test_the_environment_of_another_python_does_not_disturb(call: Call, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise RuntimeError('another torch')", encoding="utf-8")
    ran = call("start", PYTHONPATH=str(tmp_path), PYTHONHOME=str(tmp_path))
    assert ran.facts["init"] == "0 0 "


def _grown_kb(out: str, skipped: int) -> float:
    """Kilobytes by which a session made the process grow, after the first ones."""
    kb = np.array([int(line) for line in re.findall(r"kb: (\d+)", out)], float)[skipped:]
    return float(np.polyfit(np.arange(len(kb)), kb, 1)[0])


def test_sessions_leave_no_memory_behind(call: Call, gain: Path) -> None:
    ran = call("again", 120, gain)
    assert ran.code == 0
    assert _grown_kb(ran.out, 40) < 4  # a page; the plan and its buffers are some hundred kilobytes


@pytest.mark.slow
def test_rvc_handles_leave_no_memory_behind(
    call: Call, tmp_path: Path, write_models: Callable[..., None]
) -> None:
    write_models(tmp_path)
    names = [tmp_path / n for n in ("hubert.safetensors", "voice.pth", "added.index")]
    ran = call("again_rvc", 60, *names)
    assert ran.code == 0, ran.out
    assert _grown_kb(ran.out, 20) < 40  # the models are some megabytes


@pytest.mark.slow
def test_blocks_of_ten_milliseconds_keep_their_time(call: Call, gain: Path) -> None:
    ran = call("realtime", 20, gain)
    assert ran.code == 0
    assert int(ran.facts["blocks"]) == 2000
    assert int(ran.facts["grown_kb"]) < 1024


@pytest.mark.slow
def test_the_address_sanitizer_finds_nothing(
    sdk: Path, tmp_path: Path, gain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The C side alone: Python's own leaks at exit are not asked for."""
    from voicegraph.app.sdk._compile_library import compile_library

    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-g"]
    monkeypatch.setenv("CFLAGS", " ".join(flags))
    checked = tmp_path / "sdk"
    for name in ("include", "src"):
        (checked / name).mkdir(parents=True)
    (checked / "include" / "voicegraph.h").write_bytes((sdk / "include/voicegraph.h").read_bytes())
    (checked / "src" / "voicegraph.c").write_bytes((sdk / "src/voicegraph.c").read_bytes())
    compile_library(checked / "src" / "voicegraph.c", checked / "lib" / "libvoicegraph.so")
    program = compiled(checked, tmp_path / "caller", flags)
    for scenario in ("mistakes", "race"):
        ran = run_program(program, scenario, gain, ASAN_OPTIONS="detect_leaks=0")
        assert ran.code == 0, ran.err
        assert ran.err == ""
