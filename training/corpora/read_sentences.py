"""The step speech: the voice reads sentences."""

from __future__ import annotations

import functools
from pathlib import Path

from voicegraph.training.voice.workdir import RATE, Workplace, write_speech

from .tts_speakers import SPEAKERS, Speaker

SENTENCES = Path(__file__).with_name("sentences.txt")
_GAIN = 0.9


def sentences() -> list[str]:
    """The 620 sentences that the voices read."""
    return SENTENCES.read_text(encoding="utf-8").splitlines()


def jobs(place: Workplace, voice: str, downloads: Path, count: int) -> list[tuple]:
    """What is still to be said."""
    numbers = range(min(count, len(sentences())))
    return [
        (place, voice, downloads, number) for number in numbers if not place.speech(number).exists()
    ]


def speak(place: Workplace, voice: str, downloads: Path, number: int) -> None:
    """One sentence, as 16-bit FLAC."""
    audio = _GAIN * _speaker(voice, downloads)(sentences()[number], number)
    write_speech(place.speech(number), audio, RATE)


@functools.cache
def _speaker(voice: str, downloads: Path) -> Speaker:
    return SPEAKERS[voice](downloads)
