"""The recordings of LibriSpeech that a training may hear, and the speakers for its validation."""

from __future__ import annotations

from pathlib import Path

from . import clips

_HELD_OUT = Path(__file__).with_name("held_out_speakers.txt")
"""Half of these speakers were held out for the encoder phonetic-1, too."""


def recordings(speech: Path) -> list[Path]:
    """All files below a folder, but those of the speakers of the evaluation.

    Raises:
        SystemExit: if there is no speech.
    """
    files = sorted(speech.rglob("*.flac"))
    if not files:
        raise SystemExit(f"there is no .flac in {speech}\n  fix: --speech LIBRISPEECH")
    evaluated = clips.evaluated_speakers()
    return [file for file in files if clips.speaker(file.stem) not in evaluated]


def held_out_speakers() -> frozenset[str]:
    """Numbers of the speakers that serve for validation alone."""
    return frozenset(_HELD_OUT.read_text(encoding="utf-8").split())
