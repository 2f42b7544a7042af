"""What is done for one clip; runs in processes of its own."""

from __future__ import annotations

from pathlib import Path

import soundfile

from voicegraph.training.voice.augmentation import LISTENING
from voicegraph.training.voice.workdir import write_whole

from . import _targets as targets
from ._conversion import convert
from ._observation import observe
from ._rows import Row
from ._store import Store
from .clips import Clip, cut
from .noise import noisy


def hear(store: Store, clip: Clip, path: Path, snr_db: float | None) -> None:
    """The clip as it goes into pipelines, and what is heard in it."""
    audio = cut(path, clip.seconds)
    if snr_db is not None:
        audio = noisy(audio, snr_db, clip.name)

    def write(part: Path) -> None:
        # Noise may bring it beyond full scale, which only float keeps.
        soundfile.write(part, audio, LISTENING, "FLOAT", format="WAV")

    heard = store.heard(clip, snr_db)
    write_whole(heard, write)
    observe(heard, store.observed(heard))


def speak(store: Store, target: Path, speaker: str, source: Path, number: int) -> None:
    """An utterance of a target voice, and what is heard in it."""
    targets.make(target, speaker, source, number)
    observe(target, store.observed(target))


def change(store: Store, row: Row, clip: Clip, made: Path) -> None:
    """A converted clip, and what is heard in it."""
    if not made.exists():
        convert(row, clip, store.heard(clip, row.snr_db), made)
    observe(made, store.observed(made))
