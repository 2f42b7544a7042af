"""The step speech: a text-to-speech voice reads sentences."""

from __future__ import annotations

import functools
from pathlib import Path

from voicegraph.training.voice.workdir import RATE, Workdir

from ..common.atomic_files import write_audio
from .tts_speakers import SPEAKERS, Synthesizer

SENTENCES = Path(__file__).with_name("sentences.txt")
_GAIN = 0.9


def sentences() -> list[str]:
    """The 620 sentences that the bundled voices read."""
    return SENTENCES.read_text(encoding="utf-8").splitlines()


def jobs(workdir: Workdir, voice: str, downloads: Path, count: int) -> list[tuple]:
    """Arguments of :func:`synthesize_sentence` for all files that are missing."""
    numbers = range(min(count, len(sentences())))
    return [
        (workdir, voice, downloads, number)
        for number in numbers
        if not workdir.speech(number).exists()
    ]


def synthesize_sentence(workdir: Workdir, voice: str, downloads: Path, number: int) -> None:
    """Writes one sentence as 16-bit FLAC."""
    audio = _GAIN * _synthesizer(voice, downloads)(sentences()[number], number)
    write_audio(workdir.speech(number), audio, RATE)


@functools.cache
def _synthesizer(voice: str, downloads: Path) -> Synthesizer:
    return SPEAKERS[voice](downloads)
