"""The step reader: one voice reads the sentences that the voices that come along read."""

from __future__ import annotations

from pathlib import Path

import soxr

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.workdir import RATE as SPOKEN
from voicegraph.training.voice.workdir import write_speech

from ..corpora.read_sentences import sentences
from ..corpora.tts_speakers import heart
from ._workdir import Place

_GAIN = 0.9


def jobs(place: Place, downloads: Path) -> list[tuple]:
    """What is still to be read."""
    numbers = range(len(sentences()))
    return [(place, downloads, n) for n in numbers if not place.speech(name(n)).exists()]


def name(number: int) -> str:
    """Of the utterance in which that sentence is read."""
    return f"reader-{number:04d}"


def read(place: Place, downloads: Path, number: int) -> None:
    """One sentence, as 16-bit FLAC."""
    audio = soxr.resample(_GAIN * heart(downloads)(sentences()[number], number), SPOKEN, RATE)
    write_speech(place.speech(name(number)), audio, RATE)
