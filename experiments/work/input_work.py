"""Reads a part of a clip, and applies conditions to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.sound.reader import AudioReader

from .. import conditions
from ..metric import TRUTH_HZ, Params
from ..task import Result, Results
from .files import FileHash, here, moved, outside_package, require_same


@dataclass(frozen=True, slots=True)
class AppliedCondition:
    """A condition of a task.

    Attributes:
        name: of the condition.
        params: as JSON, with absolute names of files.
        contents: these files.
    """

    name: str
    params: str
    contents: tuple[FileHash, ...] = ()

    def opened(self) -> Params:
        """The params."""
        return conditions.find(self.name).params.model_validate_json(self.params)

    def with_files(self, places: Mapping[Path, Path]) -> AppliedCondition:
        """The same, reading its files from other places."""
        names = moved(self.contents, places)
        contents = tuple((names.get(name, name), sha256) for name, sha256 in self.contents)
        params = self.opened().with_files(places).model_dump_json()
        return replace(self, params=params, contents=contents)


@dataclass(frozen=True, slots=True)
class InputWork:
    """A part of a sound file, mono, under conditions.

    Attributes:
        file: name and SHA-256 of the file.
        clip: its name, from which conditions draw their noise.
        start_s: first second of the part.
        seconds: its length; None up to the end.
        conditions: applied in this order.
        seed: of everything random in them.
    """

    file: FileHash
    clip: str
    start_s: float = 0.0
    seconds: float | None = None
    conditions: tuple[AppliedCondition, ...] = ()
    seed: int = 0

    def files(self) -> Mapping[Path, str]:
        """See :class:`~voicegraph.experiments.task.Work`."""
        return outside_package(self._contents())

    def with_files(self, places: Mapping[Path, Path]) -> InputWork:
        """See :class:`~voicegraph.experiments.task.Work`."""
        name, sha256 = self.file
        file = (moved([self.file], places).get(name, name), sha256)
        applied = tuple(each.with_files(places) for each in self.conditions)
        return replace(self, file=file, conditions=applied)

    def run(self, needs: Results) -> Result:
        """The sound: ``audio`` float32 ``[samples]``, and ``truth.NAME`` of what is known of it.

        Raises:
            InputError: if the file cannot be read, has changed, or is too short; or if a condition
                does not fit it.
        """
        del needs
        require_same(self._contents())
        audio, rate = read_part(here(self.file[0]), self.start_s, self.seconds)
        truth: dict[str, np.ndarray] = {}
        for each in self.conditions:
            audio, known = conditions.apply(
                each.name, each.opened(), audio, rate, self.seed, self.clip
            )
            truth |= {f"truth.{name}": values for name, values in known.items()}
        rates = dict.fromkeys(truth, TRUTH_HZ)
        return Result({"audio": audio, **truth}, {"rate": rate, "rates": rates})

    def _contents(self) -> list[FileHash]:
        return [self.file, *(file for each in self.conditions for file in each.contents)]


def read_part(path: Path, start_s: float, seconds: float | None) -> tuple[np.ndarray, int]:
    """A part of a file, channels averaged: float32 ``[samples]``, and the rate in Hz.

    Raises:
        InputError: if the file cannot be read, or ends before the part.
    """
    with AudioReader(path) as reader:
        rate = int(reader.type.rate)
        first = round(start_s * rate)
        end = None if seconds is None else first + round(seconds * rate)
        chunks: list[np.ndarray] = []
        for chunk in reader:
            begun = reader.taken - chunk.shape[1]
            stop = None if end is None else max(0, end - begun)
            chunks.append(chunk[:, max(0, first - begun) : stop].mean(axis=0, dtype=np.float64))
            if end is not None and reader.taken >= end:
                break
    audio = np.concatenate(chunks).astype(np.float32)
    if not len(audio) or (end is not None and len(audio) < end - first):
        there = f"holds {(first + len(audio)) / rate:.3f} s"
        text = f"{path} {there}, but the clip needs {(end or first + 1) / rate:.3f} s"
        raise InputError(Problem("too-short", text, fix="shorten clips.cut"))
    if not np.isfinite(audio).all():
        raise InputError(Problem("not-finite", f"{path} holds NaN or infinity"))
    return audio, rate
