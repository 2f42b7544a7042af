"""The step reader: one text-to-speech voice reads the sentences of the bundled voices."""

from __future__ import annotations

from pathlib import Path

import soxr

from voicegraph.nodes.content.encoder import RATE
from voicegraph.training.voice.workdir import RATE as TTS_RATE

from ..common.atomic_files import write_audio
from ..corpora.read_sentences import sentences
from ..corpora.tts_speakers import heart
from ._workdir import EncoderWorkdir

_GAIN = 0.9


def jobs(workdir: EncoderWorkdir, downloads: Path) -> list[tuple]:
    """Arguments of :func:`synthesize` for all files that are missing."""
    numbers = range(len(sentences()))
    return [(workdir, downloads, n) for n in numbers if not workdir.speech(name(n)).exists()]


def name(number: int) -> str:
    """Name of the utterance of a sentence."""
    return f"reader-{number:04d}"


def synthesize(workdir: EncoderWorkdir, downloads: Path, number: int) -> None:
    """Writes one sentence as 16-bit FLAC."""
    audio = soxr.resample(_GAIN * heart(downloads)(sentences()[number], number), TTS_RATE, RATE)
    write_audio(workdir.speech(name(number)), audio, RATE)
