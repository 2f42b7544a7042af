"""``export --all``, ``bundle check`` and ``bundle run``, with real files and runtimes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.app.cli.app import main

from ...tolerance import EXPORTED, assert_close

pytestmark = pytest.mark.numeric


@pytest.mark.slow
def test_a_bundle_of_rvc_is_checked_and_gives_the_pipeline_s_sound(
    tmp_path: Path, write_models: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package)
    write_models(tmp_path)
    given = {
        "vars.voice": tmp_path / "voice.pth",
        "assets.hubert": tmp_path / "hubert.safetensors",
        "assets.rmvpe": tmp_path / "rmvpe.pt",
        "vars.index": tmp_path / "added.index",
        "nodes.f0.use": "f0.rmvpe",
        "vars.extra": "500ms",
    }
    sets = [text for path, value in given.items() for text in ("--set", f"{path}={value}")]
    source, one, two = (tmp_path / f"{name}.wav" for name in ("in", "one", "two"))
    noise = np.random.default_rng(1).normal(0, 0.1, 2 * 48000).astype(np.float32)
    soundfile.write(source, noise, 48000, "FLOAT")
    folder = str(tmp_path / "bundle")
    assert main(["export", "rvc", "--all", folder, *sets]) == 0
    assert main(["bundle", "check", folder]) == 0
    assert "4 parts compared, all within" in capsys.readouterr().out
    assert main(["run", "rvc", str(source), str(one), *sets]) == 0
    assert main(["bundle", "run", folder, str(source), str(two)]) == 0
    expected, found = (soundfile.read(path, dtype="float32")[0] for path in (one, two))
    assert np.abs(expected).max() > 0.01
    assert_close(found, expected, EXPORTED)


def test_what_is_no_bundle_is_an_error_of_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "run", str(tmp_path), "in.wav", "out.wav"]) == 3
    assert "fix: voicegraph export PIPELINE --all DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ((), "--node NAME for one network, or --all DIR for all of them"),
        (("--all", "DIR", "--node", "voice"), "--all takes neither --node nor -o"),
    ],
)
def test_one_network_or_all_of_them(
    line: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "world", *line]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
