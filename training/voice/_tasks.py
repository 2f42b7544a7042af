"""The tasks of making a voice, each by the key of what its result depends on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import soundfile

from voicegraph.experiments.observers.speaker_network import WEIGHTS as SPEAKER_WEIGHTS
from voicegraph.experiments.task import Kind, Task, Work
from voicegraph.experiments.work.code_identity import code_of, digest
from voicegraph.experiments.work.files import hashed
from voicegraph.nodes.f0.swift_network import WEIGHTS as SWIFT_WEIGHTS

from ._features import ENCODER, FeaturesWork
from ._ingest import IngestWork
from ._recordings import seconds_of
from ._sound_work import SoundFile
from .augmentation import CopyWork
from .contours import ContoursWork
from .workdir import COPIES, Workdir

_INGEST_PACE, _CONTOURS_PACE, _COPY_PACE, _FEATURES_PACE = 0.07, 0.05, 0.06, 0.12
"""Seconds of one core that a step takes for each second of speech, about."""
_WEIGHTS = {
    IngestWork: (SPEAKER_WEIGHTS,),
    ContoursWork: (SWIFT_WEIGHTS,),
    CopyWork: (),
    FeaturesWork: (ENCODER,),
}
"""Files of the package that decide numbers besides its code."""


@dataclass(frozen=True, slots=True)
class UtteranceTasks:
    """What is computed of one utterance."""

    contours: Task
    copies: tuple[Task, ...]
    features: Task

    def all(self) -> tuple[Task, ...]:
        """All of them."""
        return self.contours, *self.copies, self.features


def ingest_task(recording: Path) -> Task:
    """The task that decodes a recording and finds its speech.

    Raises:
        InputError: if the file is missing or cannot be read at all.
    """
    sound = SoundFile.of(recording)
    key = _key(IngestWork, sound.sha256, recording.suffix.lower())
    seconds = _INGEST_PACE * seconds_of(recording)
    return _task(key, Kind.INPUT, IngestWork(sound), "hear", recording.name, seconds)


def utterance_tasks(workdir: Workdir, number: int, seed: int) -> UtteranceTasks:
    """The tasks of an utterance of the working folder.

    Args:
        workdir: of the voice.
        number: of the utterance.
        seed: of the copies.
    """
    path = workdir.speech(number)
    sound, seconds = SoundFile.of(path), soundfile.info(path).duration
    name, sha256 = f"utterance {number}", sound.sha256
    contours = _task(
        _key(ContoursWork, sha256), Kind.OBSERVE, ContoursWork(sound), "contours", name,
        _CONTOURS_PACE * seconds,
    )  # fmt: skip
    draws = [(seed, number, copy) for copy in range(COPIES)]
    copies = tuple(
        _task(
            _key(CopyWork, sha256, drawn), Kind.CONVERT, CopyWork(sound, drawn), "copies",
            f"{name}, copy {drawn[-1]}", _COPY_PACE * seconds,
        )
        for drawn in draws
    )  # fmt: skip
    needs = tuple(copy.key for copy in copies)
    features = _task(
        _key(FeaturesWork, sha256, needs), Kind.OBSERVE, FeaturesWork(sound, needs), "features",
        name, _FEATURES_PACE * seconds, needs,
    )  # fmt: skip
    return UtteranceTasks(contours, copies, features)


def _task(
    key: str,
    kind: Kind,
    work: Work,
    group: str,
    label: str,
    seconds: float,
    needs: Iterable[str] = (),
) -> Task:
    return Task(key, kind, work, tuple(needs), group, f"{group}, {label}", max(seconds, 0.05))


def _key(cls: type, *parts: object) -> str:
    return digest((cls.__name__, _code(cls), *parts))


@cache
def _code(cls: type) -> str:
    """What decides the numbers of a step: its code, and the contents of weights."""
    weights = [sha256 for _, sha256 in hashed(_WEIGHTS[cls])]
    return digest((sorted(code_of((), (cls.__module__,)).items()), weights))
