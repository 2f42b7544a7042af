"""Speakers of LibriSpeech that are kept for the final judgement of the bundled voices.

No training hears them, and nothing is chosen by them: neither a network nor a checkpoint.
"""

from __future__ import annotations

from pathlib import Path

LIST = Path(__file__).with_name("reserved_speakers.txt")


def reserved_speakers(path: Path = LIST) -> frozenset[str]:
    """Their numbers, as LibriSpeech names them."""
    return frozenset(path.read_text(encoding="utf-8").split())
