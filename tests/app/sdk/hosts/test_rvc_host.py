"""The host that converts a file with an RVC voice, and the CMake file of all hosts."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.app.sdk.rvc_config import RvcConfig
from voicegraph.graph.signals import Audio

from .conftest import Compile, Run, processed

MODELS = ("hubert.safetensors", "voice.pth", "added.index")


@pytest.mark.parametrize("index", [True, False])
def test_output_is_that_of_the_pipeline_in_both_channels(
    compiled: Compile,
    run_host: Run,
    write_models: Callable[..., None],
    speech_like: np.ndarray,
    tmp_path: Path,
    index: bool,
) -> None:
    write_models(tmp_path)
    left, right = speech_like, np.roll(speech_like, 100)
    soundfile.write(tmp_path / "in.wav", np.stack((left, right), 1), 48000, "FLOAT")
    names = [str(tmp_path / name) for name in MODELS]
    words = [*names[:2], names[2] if index else "-", tmp_path / "in.wav", tmp_path / "out.wav"]
    done = run_host([compiled("rvc_host.c"), *words])
    assert (done.code, done.err) == (0, "")
    made, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    config = RvcConfig(0, 48000, 1, 0.25, 0.05, 2.5, int(index), 0.75, 1, 0)
    overrides = config.overrides(names[0], names[1], names[2] if index else None)
    mono = ((left + right) / np.float32(2))[None]
    expected, latency = processed(
        "rvc", mono, 48000, 8, target=Audio(Fraction(48000), 1), overrides=overrides
    )
    wanted = expected[0, latency : latency + len(left)]
    assert (rate, made.shape) == (48000, (len(left), 2))
    np.testing.assert_array_equal(made[:, 0], wanted)
    np.testing.assert_array_equal(made[:, 1], wanted)


def test_model_that_is_missing_is_named(compiled: Compile, run_host: Run, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(480), 48000)
    files = [tmp_path / "in.wav", tmp_path / "out.wav"]
    done = run_host([compiled("rvc_host.c"), "no-hubert.pt", "no-voice.pth", "-", *files])
    assert (done.code, done.out) in [(code, "") for code in (2, 3)]
    assert "no-voice.pth: there is no such file" in done.err


@pytest.mark.slow
def test_cmake_builds_all_hosts(sdk: Path, tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("no cmake")
    for words in (["-S", str(sdk / "hosts"), "-B", str(tmp_path)], ["--build", str(tmp_path)]):
        done = subprocess.run(["cmake", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    for name in ("file_host", "file_host_cpp", "rvc_host"):
        assert list(tmp_path.rglob(f"{name}*"))
