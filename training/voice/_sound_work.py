"""What a task knows of the sound file that it reads, and sounds as results hold them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import soundfile
import soxr

from voicegraph.experiments.task import Result
from voicegraph.experiments.work.files import hashed, require_same
from voicegraph.graph.errors import InputError, Problem
from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

from .workdir import RATE

_FLAC = "flac"
"""Array of a result with the bytes of a file: a sound takes half of what its samples would."""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A file with a sound, by its contents.

    Attributes:
        path: absolute.
        sha256: of its contents.
    """

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """The file as it is now.

        Raises:
            InputError: if it is missing or cannot be read.
        """
        ((name, sha256),) = hashed([path.absolute()])
        return cls(Path(name), sha256)

    def checked(self) -> Path:
        """Its path.

        Raises:
            InputError: if it has changed.
        """
        require_same([(str(self.path), self.sha256)])
        return self.path


@dataclass(frozen=True, slots=True)
class SoundWork:
    """Base of what tasks do with one file."""

    sound: SoundFile

    def files(self) -> Mapping[Path, str]:
        """The file with its SHA-256."""
        return {self.sound.path: self.sound.sha256}

    def with_files(self, moved: Mapping[Path, Path]) -> Self:
        """The same work at another place."""
        path = moved.get(self.sound.path, self.sound.path)
        return replace(self, sound=replace(self.sound, path=path))


def as_flac(audio: np.ndarray, rate: int) -> np.ndarray:
    """``[samples]`` as an array of a result: the bytes of a FLAC file of 16 bits."""
    file = io.BytesIO()
    soundfile.write(file, audio, rate, "PCM_16", format="FLAC")
    return np.frombuffer(file.getvalue(), np.uint8)


def read_flac(result: Result, dtype: Literal["float32", "int16"]) -> np.ndarray:
    """The sound of a result, ``[samples]``.

    Args:
        result: with the array ``flac``, as :func:`as_flac` gives it.
        dtype: of the samples; a float of 1 is full scale.
    """
    audio, _ = soundfile.read(io.BytesIO(result.arrays[_FLAC].tobytes()), dtype=dtype)
    return audio


def load_for_encoder(path: Path) -> np.ndarray:
    """An utterance at the rate of content encoders: float64 ``[samples]`` at 16 kHz.

    Raises:
        InputError: if the file has another rate than the working folder prescribes.
    """
    audio, rate = soundfile.read(path)
    if rate != RATE:
        text = f"{path} has {rate} Hz, expected {RATE}"
        fix = f"remove {path.parent} and make the voice again"
        raise InputError(Problem("wrong-rate", text, fix=fix))
    return soxr.resample(audio, rate, ENCODER_RATE)
