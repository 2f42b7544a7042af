"""The step books: utterances of LibriSpeech, without the speakers of the evaluation."""

from __future__ import annotations

from pathlib import Path

import soundfile

from voicegraph.nodes.content.encoder import RATE

from ..common.atomic_files import write_audio
from ..evaluate import clips
from ._workdir import EncoderWorkdir

_HELD_OUT = 9
"""Every ninth speaker is held out for validation."""


def jobs(workdir: EncoderWorkdir, speech: Path) -> list[tuple]:
    """Arguments of :func:`import_utterance` for all files that are missing.

    Raises:
        SystemExit: if there is no speech.
    """
    files = sorted(speech.rglob("*.flac"))
    if not files:
        raise SystemExit(f"there is no .flac in {speech}\n  fix: --speech LIBRISPEECH")
    evaluated = clips.evaluated_speakers()
    wanted = [file for file in files if clips.speaker(file.stem) not in evaluated]
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
    readers = sorted(
        {clips.speaker(found.partition("-")[2]) for found in names if _is_librispeech(found)}
    )
    kept = set(readers[::_HELD_OUT])
    out = [n for n in names if _is_librispeech(n) and clips.speaker(n.partition("-")[2]) in kept]
    return [found for found in names if found not in set(out)], out


def _is_librispeech(found: str) -> bool:
    return found.startswith("books-")
