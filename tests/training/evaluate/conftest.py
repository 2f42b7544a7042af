"""A small evaluation: synthetic clips, a pipeline that lowers their level, a simple observer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.training.common.atomic_files import write_arrays
from voicegraph.training.evaluate import _clip_tasks as clip_tasks
from voicegraph.training.evaluate._evaluation import Evaluation
from voicegraph.training.evaluate._rows import Row, Voice, rows
from voicegraph.training.evaluate.clips import Clip

PIPELINE = """
version: 1
block: 20ms
vars: {voice: none, db: -6}
input: {rate: 16000}
nodes:
  quieter: {use: dsp.gain, in: input, params: {db: $db}}
output: quieter
"""
TABLE = """
against: quieter
rows:
  source: {{is: source, noise: [null, 20]}}
  target: {{is: target}}
  quieter: {{pipeline: {pipeline}, noise: [null, 20]}}
  much quieter: {{pipeline: {pipeline}, set: {{vars.db: -40}}}}
"""


def buzz(hertz: float, seconds: float) -> np.ndarray:
    """Speech, roughly: ``[samples]`` at 16 kHz, silent in every fourth half second."""
    time = np.arange(int(seconds * 16000)) / 16000
    made = sum(np.cos(2 * np.pi * hertz * h * time) / h for h in range(1, 15))
    return 0.05 * np.asarray(made) * (time % 2 < 1.5)


def listens(seen: list[Path]) -> Callable[[Path, Path], None]:
    """Replaces the metrics' packages: observes the level, and records what it was given."""

    def observe(sound: Path, target: Path) -> None:
        seen.append(sound)
        audio, rate = soundfile.read(sound)
        frames = audio[: len(audio) // (rate // 100) * (rate // 100)].reshape(-1, rate // 100)
        level = 10 * np.log10(np.square(frames).mean(1) + 1e-12)
        embedding = np.eye(256)[0] + 0.1 * np.eye(256)[1 + len(seen) % 5]
        found = {
            "phones": np.arange(20),
            "allphones": np.array(list("abcd")),
            "embedding": embedding / np.linalg.norm(embedding),
            "f0": np.where(level > -60, 120.0, 0.0),
            "level": level,
            "mos": np.array([3.0, 3.5]),
        }
        write_arrays(target, **found)

    return observe


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file that was observed."""
    seen: list[Path] = []
    monkeypatch.setattr(clip_tasks, "observe", listens(seen))
    return seen


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of rows."""
    pipeline = tmp_path / "quieter.yaml"
    pipeline.write_text(PIPELINE, encoding="utf-8")
    path = tmp_path / "rows.yaml"
    path.write_text(TABLE.format(pipeline=pipeline.as_posix()), encoding="utf-8")
    return path


@pytest.fixture
def voice(tmp_path: Path) -> Voice:
    """A voice that is nothing but a name and a pitch."""
    return Voice(tmp_path / "somebody.safetensors", 190.0)


@pytest.fixture
def evaluation(tmp_path: Path, table: Path, voice: Voice, heard: list[Path]) -> Evaluation:
    """Four speakers, five rows."""
    speech, own = tmp_path / "speech", tmp_path / "own"
    speech.mkdir()
    own.mkdir()
    clips = []
    for number, (sex, hertz) in enumerate([("M", 100.0), ("M", 110.0), ("F", 200.0), ("F", 210.0)]):
        name = f"{number}-1-0000"
        soundfile.write(speech / f"{name}.flac", buzz(hertz, 2.5), 16000)
        clips.append(Clip(name, sex, hertz, 2.0))
    for number in range(3):
        soundfile.write(own / f"{number}.wav", buzz(190.0, 2.0), 16000)
    chosen: list[Row] = rows([voice], table=table)[0]
    return Evaluation(
        rows=chosen,
        clips=clips,
        speech={clip.name: speech / f"{clip.name}.flac" for clip in clips},
        work=tmp_path / "work",
        downloads=tmp_path,
        targets={voice.name: own},
        against="quieter",
    )
