"""Speech of the target voices that they were not trained on."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from voicegraph.training.voice.training_steps import divided
from voicegraph.training.voice.workdir import RATE, write_speech

from ..corpora.read_sentences import sentences
from ..corpora.tts_speakers import SPEAKERS, Speaker
from ..make.recipes import RECIPES
from ._store import Store

COUNT = 30
"""Utterances of each voice, at the most."""


def jobs(voice: str, given: Mapping[str, Path], downloads: Path, store: Store) -> list[tuple]:
    """For each utterance its file in the store, and what it is made from: a file or a sentence.

    Args:
        voice: its name.
        given: folders with held-out speech, by voice.
        downloads: folder with what programs that speak need.
        store: where it goes.

    Raises:
        SystemExit: if nothing is known of the voice.
    """
    if voice in given:
        found = _files(given[voice])
        sources: list[tuple[str, Path, int]] = [("", path, 0) for path in found[:COUNT]]
    elif voice in RECIPES:
        recipe = RECIPES[voice]
        held_out = divided(list(range(recipe.sentences)))[1]
        sources = [(recipe.speaker, downloads, number) for number in held_out[:COUNT]]
    else:
        text = f"what {voice} sounds like is not known: training/make/recipes.py does not have it"
        fix = f"--target {voice}=FOLDER  with speech that it was not trained on"
        raise SystemExit(f"{text}\n  fix: {fix}")
    return [(store.held_out(voice, number), *source) for number, source in enumerate(sources)]


def _files(folder: Path) -> list[Path]:
    endings = {f".{name.lower()}" for name in soundfile.available_formats()} | {".opus", ".oga"}
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in endings]
    if not found:
        raise SystemExit(f"there is no sound file in {folder}")
    return found


def make(target: Path, speaker: str, source: Path, number: int) -> None:
    """One utterance, mono FLAC: of a file, or of a sentence that a program says."""
    if speaker:
        audio, rate = _speaker(speaker, source)(sentences()[number], number), RATE
    else:
        audio, rate = soundfile.read(source, always_2d=True)
        audio = np.mean(audio, axis=1)
    write_speech(target, audio, rate)


@functools.cache
def _speaker(name: str, downloads: Path) -> Speaker:
    return SPEAKERS[name](downloads)
