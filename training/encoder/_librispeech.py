"""The step books: utterances of LibriSpeech, without the speakers of the evaluation."""

from __future__ import annotations

from pathlib import Path

import soundfile

from voicegraph.nodes.content.encoder import RATE

from ..common.atomic_files import write_audio
from ..evaluate import clips, librispeech
from ._workdir import EncoderWorkdir


def jobs(workdir: EncoderWorkdir, speech: Path) -> list[tuple]:
    """Arguments of :func:`import_utterance` for all files that are missing.

    Raises:
        SystemExit: if there is no speech.
    """
    wanted = librispeech.recordings(speech)
    return [(workdir, file) for file in wanted if not workdir.speech(name(file)).exists()]


def name(file: Path) -> str:
    """Name of the utterance in a file."""
    return f"books-{file.stem}"


def import_utterance(workdir: EncoderWorkdir, file: Path) -> None:
    """Copies one utterance as 16-bit FLAC.

    Raises:
        SystemExit: if its rate is not LibriSpeech's.
    """
    audio, rate = soundfile.read(file, dtype="int16")
    if rate != RATE or audio.ndim > 1:
        raise SystemExit(f"{file} has {rate} Hz, expected one channel at {RATE}")
    write_audio(workdir.speech(name(file)), audio, RATE)


def split_held_out(names: list[str]) -> tuple[list[str], list[str]]:
    """Utterances to learn from, and those of the held-out speakers."""
    kept = librispeech.held_out_speakers()
    out = [found for found in names if _reader(found) in kept]
    return [found for found in names if _reader(found) not in kept], out


def _reader(found: str) -> str | None:
    """Number of the speaker, if it is an utterance of LibriSpeech."""
    return clips.speaker(found.partition("-")[2]) if is_librispeech(found) else None


def is_librispeech(found: str) -> bool:
    """Whether an utterance is of this corpus."""
    return found.startswith("books-")
