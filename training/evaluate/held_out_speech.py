"""Held-out speech of the bundled voices: sentences of a recipe that its training left out."""

from __future__ import annotations

from pathlib import Path

from voicegraph.training.voice.training_steps import split_held_out
from voicegraph.training.voice.workdir import RATE

from ..common.atomic_files import write_audio
from ..common.progress import progress_bar
from ..corpora.read_sentences import sentences
from ..corpora.tts_speakers import SPEAKERS
from ..make.recipes import RECIPES

COUNT = 30
"""Utterances of each voice."""


def write_speech(voice: str, folder: Path, downloads: Path) -> Path:
    """Writes what is missing of a voice's held-out speech, as mono FLAC by text-to-speech.

    Args:
        voice: a key of ``RECIPES``.
        folder: of the speech of all voices.
        downloads: folder for the files of text-to-speech voices.

    Returns:
        The folder of this voice.

    Raises:
        SystemExit: with what to type, if a package is missing.
    """
    recipe, own = RECIPES[voice], folder / voice
    held_out = split_held_out(list(range(recipe.sentences)))[1][:COUNT]
    files = {own / f"{place:04d}.flac": number for place, number in enumerate(held_out)}
    missing = {path: number for path, number in files.items() if not path.exists()}
    if missing:
        speaker, texts = SPEAKERS[recipe.speaker](downloads), sentences()
        with progress_bar(f"speech of {voice}", len(missing)) as tell:
            for done, (path, number) in enumerate(missing.items(), 1):
                write_audio(path, speaker(texts[number], number), RATE)
                tell("", done)
    return own
