"""The hosts that convert a file, in four languages: what they write, and what they say."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from .conftest import Compile, Run, processed

LANGUAGES = ("c", "cpp", "cs", "py")
SPEECH = Path(__file__).resolve().parents[4] / "pipelines/audio/librispeech-8088-284756-0000.flac"
Host = Callable[[str], list[str | Path]]


@pytest.fixture(scope="session")
def host(compiled: Compile, sdk: Path, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """The command of the host in a language."""

    def command(language: str) -> list[str | Path]:
        if language == "py":
            return [sys.executable, sdk / "hosts" / "file_host.py"]
        if language == "cs":
            return _csharp(sdk, tmp_path_factory.mktemp("csharp"))
        return [compiled(f"file_host.{language}")]

    return command


def _csharp(sdk: Path, folder: Path) -> list[str | Path]:
    for tool in ("mcs", "mono"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool}: apt install mono-mcs mono-runtime")
    sources = [str(sdk / "hosts" / name) for name in ("FileHost.cs", "Voicegraph.cs")]
    program = folder / "FileHost.exe"
    subprocess.run(["mcs", "-warnaserror", f"-out:{program}", *sources], check=True)
    return ["mono", program]


def _write(path: Path, samples: np.ndarray, subtype: str) -> np.ndarray:
    """Writes ``[channels, samples]`` at 48 kHz; what a reader gets of it."""
    soundfile.write(path, samples.T, 48000, subtype)
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


@pytest.mark.parametrize(
    ("language", "subtype"),
    [("c", "PCM_16"), ("cpp", "PCM_24"), ("cs", "FLOAT"), ("py", "PCM_32")],
)
def test_output_is_that_of_python_without_the_latency(
    host: Host,
    run_host: Run,
    chain: Path,
    speech_like: np.ndarray,
    tmp_path: Path,
    language: str,
    subtype: str,
) -> None:
    sound = speech_like[:7777]  # no whole number of blocks
    read = _write(tmp_path / "in.wav", np.stack((sound, -sound)), subtype)
    done = run_host([*host(language), chain, tmp_path / "in.wav", tmp_path / "out.wav"])
    assert done.code == 0, done.err
    assert done.out == f"{tmp_path / 'out.wav'}: 7777 frames at 48000 Hz, channels: 2\n"
    made, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    expected, latency = processed(chain, read, 48000, 18)
    assert rate == 48000
    np.testing.assert_array_equal(made.T, expected[:, latency : latency + 7777])


@pytest.mark.slow
@pytest.mark.parametrize("language", ["c", "cs"])
def test_profiles_overrides_and_another_rate_reach_the_pipeline(
    host: Host, run_host: Run, tmp_path: Path, language: str
) -> None:
    speech, rate = soundfile.read(SPEECH, dtype="float32", frames=12000)
    soundfile.write(tmp_path / "in.wav", speech, rate, "FLOAT")
    words: Sequence[str | Path] = [tmp_path / "in.wav", tmp_path / "out.wav"]
    changes = ["--profile", "michael", "nodes.pitch.params.transpose=-2"]
    done = run_host([*host(language), "default-live", *words, *changes])
    assert done.code == 0, done.err
    made, made_rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    expected, latency = processed(
        "default-live",
        speech[None],
        rate,
        30,
        profiles=("michael",),
        overrides={"nodes.pitch.params.transpose": -2},
    )
    frames = len(speech) * made_rate // rate
    assert len(made) == frames
    np.testing.assert_array_equal(made, expected[0, latency : latency + frames])


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_pipeline_that_is_missing_is_a_sentence_and_a_code(
    host: Host, run_host: Run, tmp_path: Path, language: str
) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(480, np.float32), 48000)
    done = run_host([*host(language), "default-life", tmp_path / "in.wav", tmp_path / "out.wav"])
    assert (done.code, done.out) == (2, "")
    assert "default-life" in done.err
    assert "default-live" in done.err  # what to type
    assert "Traceback" not in done.err
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("content", [None, b"no sound", b"RIFF\x10\0\0\0WAVEdata\x04\0\0\0abcd"])
def test_input_that_is_no_sound_is_a_sentence_and_a_code(
    host: Host, run_host: Run, tmp_path: Path, language: str, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "in.wav").write_bytes(content)
    done = run_host([*host(language), "world", tmp_path / "in.wav", tmp_path / "out.wav"])
    assert (done.code, done.out) == (3, "")
    assert str(tmp_path / "in.wav") in done.err
    assert "Unhandled" not in done.err
    assert "Traceback" not in done.err
