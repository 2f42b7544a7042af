"""The step books: many people read aloud, LibriSpeech, without those that evaluation hears."""

from __future__ import annotations

from pathlib import Path

import soundfile

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.workdir import write_speech

from ..evaluate import clips
from ._workdir import Place

_HELD_OUT = 9
"""Every ninth speaker is held out, to judge the training by."""


def jobs(place: Place, speech: Path) -> list[tuple]:
    """What is still to be brought.

    Raises:
        SystemExit: if there is no speech.
    """
    files = sorted(speech.rglob("*.flac"))
    if not files:
        raise SystemExit(f"there is no .flac in {speech}\n  fix: --speech LIBRISPEECH")
    judged = {clip.speaker for clip in clips.read()}
    heard = [file for file in files if clips.speaker(file.stem) not in judged]
    return [(place, file) for file in heard if not place.speech(name(file)).exists()]


def name(file: Path) -> str:
    """Of the utterance in that file."""
    return f"books-{file.stem}"


def bring(place: Place, file: Path) -> None:
    """One utterance, as it is.

    Raises:
        SystemExit: if it has another rate than LibriSpeech.
    """
    audio, rate = soundfile.read(file, dtype="int16")
    if rate != RATE or audio.ndim > 1:
        raise SystemExit(f"{file} has {rate} Hz, expected one channel at {RATE}")
    write_speech(place.speech(name(file)), audio, RATE)


def divided(names: list[str]) -> tuple[list[str], list[str]]:
    """Utterances to learn from, and those of readers who are held out."""
    readers = sorted({clips.speaker(found.partition("-")[2]) for found in names if _read(found)})
    kept = set(readers[::_HELD_OUT])
    out = [n for n in names if _read(n) and clips.speaker(n.partition("-")[2]) in kept]
    return [found for found in names if found not in set(out)], out


def _read(found: str) -> bool:
    return found.startswith("books-")
