"""The C host that talks through a pipeline with PortAudio, on the virtual sound card."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.app.sdk.build import build_sdk
from voicegraph.graph.errors import VoicegraphError

RATE = 48000
SPEECH = Path(__file__).resolve().parents[2] / "pipelines/audio/librispeech-8088-284756-0000.flac"
PIPELINE = """\
block: 100ms
input: {rate: 48000}
nodes: {half: {use: dsp.gain, in: input, params: {db: -6.0}}}
output: half
"""
_WAITS_S = 120


@pytest.fixture(scope="module")
def live_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled program, beside the library."""
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "portaudio-2.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    if flags.returncode:
        pytest.skip("no header of PortAudio: apt install portaudio19-dev")
    folder = tmp_path_factory.mktemp("live-host")
    try:
        build_sdk(folder, force=True)
    except VoicegraphError as error:
        pytest.skip(f"no C library can be built here: {error}")
    program = folder / "live_host"
    warnings = ["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    library = [f"-I{folder / 'include'}", f"-L{folder / 'lib'}", "-lvoicegraph"]
    source = folder / "hosts" / "live_host.c"
    linked = [*library, f"-Wl,-rpath,{folder / 'lib'}", *flags.stdout.split()]
    subprocess.run(["cc", *warnings, str(source), *linked, "-o", str(program)], check=True)
    return program


@pytest.fixture
def talking(daemon: Any, live_host: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the program, and waits until it talks: from ``mon_a`` to ``loop_b``."""
    begun: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        devices = ["--input", "mon_a", "--output", "loop_b"]
        program = subprocess.Popen(
            [str(live_host), *words, *devices],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(program)
        assert program.stdout is not None
        for line in program.stdout:
            if line.startswith("talk"):
                return program
        raise AssertionError(program.communicate()[1])

    yield start
    for program in begun:
        program.kill()
        program.communicate()


def _heard(sound: Path, place: Path, seconds: float) -> np.ndarray:
    """What comes out at ``b`` while a file is played into ``a``: ``[samples]`` at 48 kHz."""
    form = ["--rate=48000", "--channels=1", "--format=float32le", "--latency-msec=50"]
    with (place / "heard").open("wb") as file:
        recorder = subprocess.Popen(["parec", "-d", "b.monitor", *form], stdout=file)
        try:
            subprocess.run(["paplay", "-d", "a", str(sound)], check=True, timeout=_WAITS_S)
            with pytest.raises(subprocess.TimeoutExpired):
                recorder.wait(seconds)  # the rest is still on its way
        finally:
            recorder.kill()
            recorder.wait()
    return np.fromfile(place / "heard", np.float32)


@pytest.fixture
def sine(tmp_path: Path) -> Path:
    """Two seconds of 440 Hz at a half of full scale."""
    path = tmp_path / "sine.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE), RATE)
    return path


def test_sound_passes_through_the_pipeline(
    talking: Callable[..., subprocess.Popen[str]], sine: Path, tmp_path: Path
) -> None:
    pipeline = tmp_path / "half.yaml"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    program = talking(str(pipeline), "nodes.half.params.db=-12.0")
    heard = _heard(sine, tmp_path, 1.5)
    program.terminate()
    out, err = program.communicate(timeout=_WAITS_S)
    assert program.returncode == 0, err
    assert "blocks; the longest took" in out
    amplitude = 0.5 * 10 ** (-12 / 20)
    above_half = np.count_nonzero(np.abs(heard) > amplitude / 2)  # two thirds of a sine
    assert above_half > 2 * RATE / 3 / 4  # a quarter of it: a busy machine tears gaps
    assert np.abs(heard).max() == pytest.approx(amplitude, abs=0.01)


@pytest.mark.slow
def test_speech_comes_out_with_another_voice(
    talking: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    speech, rate = soundfile.read(SPEECH, dtype="float32", frames=5 * 16000)
    soundfile.write(tmp_path / "speech.wav", speech, rate)
    program = talking("default-live")
    heard = _heard(tmp_path / "speech.wav", tmp_path, 2)
    program.terminate()
    assert program.wait(_WAITS_S) == 0
    assert np.isfinite(heard).all()
    assert np.sqrt((heard[2 * RATE :] ** 2).mean()) > 0.005


def test_device_that_is_missing_is_a_sentence(live_host: Path, daemon: Any) -> None:
    words = [str(live_host), "default-live", "--input", "no such device"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_WAITS_S)
    assert done.returncode == 5
    assert "no such device: no such input device; live_host --list shows all" in done.stderr


def test_list_has_the_devices(live_host: Path, daemon: Any) -> None:
    words = [str(live_host), "--list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_WAITS_S)
    assert done.returncode == 0
    assert ", mon_a: " in done.stdout
    assert ", loop_b: " in done.stdout


def test_words_that_are_no_options_show_the_usage(live_host: Path) -> None:
    for words in ([], ["--seconds"], ["default-live", "--loud", "1"]):
        done = subprocess.run(
            [str(live_host), *words], capture_output=True, text=True, check=False, timeout=_WAITS_S
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("usage: live_host --list\n")
