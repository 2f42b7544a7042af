"""The command ``python -m training.speech_level``."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors.torch import load_file

from voicegraph.nodes.dsp.speech_level_network import WEIGHTS
from voicegraph.training.evaluate.librispeech import held_out_speakers
from voicegraph.training.speech_level import __main__ as command


def _speech(folder: Path, *speakers: str) -> Path:
    """A second of noise by each speaker."""
    folder.mkdir()
    for number, speaker in enumerate(speakers):
        audio = 0.1 * np.random.default_rng(number).standard_normal(16000)
        soundfile.write(folder / f"{speaker}-1-0000.flac", audio, 16000)
    return folder


def test_it_makes_the_network_s_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_SHARD", 2)
    monkeypatch.setattr(command, "_HELD_OUT", 2)
    monkeypatch.setattr("torch.set_num_threads", lambda _: None)  # of all tests
    speech = _speech(tmp_path / "speech", "1", min(held_out_speakers()))
    work, out = tmp_path / "work", tmp_path / "made.safetensors"
    options = ["--speech", str(speech), "--work", str(work), "--out", str(out)]
    options += ["--examples", "3", "--steps", "1", "--processes", "1", "--threads", "1"]
    assert command.main(options) == 0
    made = sorted((work / "speech_level" / "examples").iterdir())
    assert [path.name for path in made] == ["000.npz", "001.npz"]
    assert {name: one.shape for name, one in load_file(out).items()} == {
        name: one.shape for name, one in load_file(WEIGHTS).items()
    }
    shutil.rmtree(speech)
    with pytest.raises(SystemExit, match=r"no \.flac"):
        command.main(options)


@pytest.mark.parametrize("option", ["--examples", "--steps"])
def test_nothing_cannot_be_asked_for(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["--speech", str(tmp_path), option, "0"])
    assert "a number from 1 on" in capsys.readouterr().err


def test_missing_speakers_are_named(tmp_path: Path) -> None:
    one = min(held_out_speakers())
    options = ["--work", str(tmp_path / "work"), "--processes", "1"]
    with pytest.raises(SystemExit, match=rf"for validation; at least one .*{one}"):
        command.main(["--speech", str(_speech(tmp_path / "a", "1")), *options])
    with pytest.raises(SystemExit, match="no recording to learn from"):
        command.main(["--speech", str(_speech(tmp_path / "b", one)), *options])
