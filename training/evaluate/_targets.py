"""Held-out speech of the target voices."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from voicegraph.training.voice.training_steps import split_held_out
from voicegraph.training.voice.workdir import RATE

from ..common.atomic_files import write_audio
from ..corpora.read_sentences import sentences
from ..corpora.tts_speakers import SPEAKERS, Synthesizer
from ..make.recipes import RECIPES
from ._store import Store

COUNT = 30
"""Utterances of each voice, at most."""


def jobs(voice: str, given: Mapping[str, Path], downloads: Path, store: Store) -> list[tuple]:
    """For each utterance the arguments of :func:`make`: its path in the store, and its source.

    Args:
        voice: its name.
        given: folders with held-out speech, by voice.
        downloads: folder for the files of text-to-speech voices.
        store: the working folder.

    Raises:
        SystemExit: if the voice has neither a folder nor a recipe.
    """
    if voice in given:
        found = _files(given[voice])
        sources: list[tuple[str, Path, int]] = [("", path, 0) for path in found[:COUNT]]
    elif voice in RECIPES:
        recipe = RECIPES[voice]
        held_out = split_held_out(list(range(recipe.sentences)))[1]
        sources = [(recipe.speaker, downloads, number) for number in held_out[:COUNT]]
    else:
        text = f"there is no held-out speech of {voice}: training/make/recipes.py does not list it"
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
    """Writes one utterance as mono FLAC: from a file, or a sentence by text-to-speech."""
    if speaker:
        audio, rate = _speaker(speaker, source)(sentences()[number], number), RATE
    else:
        audio, rate = soundfile.read(source, always_2d=True)
        audio = np.mean(audio, axis=1)
    write_audio(target, audio, rate)


@functools.cache
def _speaker(name: str, downloads: Path) -> Synthesizer:
    return SPEAKERS[name](downloads)
