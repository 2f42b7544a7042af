"""The clips of the evaluation: a list of names, and a folder with the speech."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
import soundfile
import soxr

from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

LIST = Path(__file__).with_name("clips.csv")


@dataclass(frozen=True, slots=True)
class Clip:
    """One speaker's clip.

    Attributes:
        name: ``speaker-chapter-utterance``, as LibriSpeech names its files.
        sex: ``M`` or ``F``.
        median_hz: median F0, from which the sex was guessed.
        seconds: length of the clip, from the beginning of the file.
    """

    name: str
    sex: str
    median_hz: float
    seconds: float

    @property
    def speaker(self) -> str:
        """The number of the speaker."""
        return speaker(self.name)


def speaker(name: str) -> str:
    """The number of the speaker in ``speaker-chapter-utterance``."""
    return name.partition("-")[0]


def read(path: Path = LIST) -> list[Clip]:
    """Reads a list of clips.

    Raises:
        SystemExit: if the file is not such a list.
    """
    columns = [field.name for field in fields(Clip)]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        made = [
            Clip(row["name"], row["sex"], float(row["median_hz"]), float(row["seconds"]))
            for row in rows
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        text = f"{path} is not a list of clips ({error})"
        raise SystemExit(f"{text}\n  expected: a CSV file with {','.join(columns)}") from None
    if not made:
        raise SystemExit(f"{path} is empty")
    return made


def write(path: Path, clips: Iterable[Clip]) -> None:
    """Writes a list for :func:`read`."""
    with (
        atomic_write(path, force=True) as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(field.name for field in fields(Clip))
        rows.writerows(astuple(clip) for clip in clips)


def located(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Finds the files of clips anywhere below a folder.

    Raises:
        SystemExit: if some are missing.
    """
    if not folder.is_dir():
        raise SystemExit(f"there is no folder {folder}\n  fix: --speech FOLDER  with LibriSpeech")
    there = {path.stem: path for path in sorted(folder.rglob("*-*-*.flac"))}
    wanted = list(names)
    missing = [name for name in wanted if name not in there]
    if missing:
        text = f"{folder} lacks {len(missing)} of {len(wanted)} clips: {', '.join(missing[:5])}"
        fix = "get test-other and train-clean-100 of openslr.org/12, or draw other clips with"
        command = "python -m training.evaluate.choose --speech FOLDER --out LIST.csv"
        raise SystemExit(f"{text}\n  fix: {fix}\n  {command}")
    return {name: there[name] for name in wanted}


def cut(path: Path, seconds: float) -> np.ndarray:
    """The beginning of a file, mono, float64 ``[samples]`` at 16 kHz."""
    audio, rate = soundfile.read(path, frames=round(seconds * soundfile.info(path).samplerate))
    if audio.ndim > 1:
        audio = audio.mean(1)
    return soxr.resample(audio, rate, ENCODER_RATE) if rate != ENCODER_RATE else audio
