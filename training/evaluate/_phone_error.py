"""How far two strings of phones are apart."""

from __future__ import annotations

from collections.abc import Sequence

from voicegraph.training.common.edit_distance import edits


def error_rate(said: Sequence[object], heard: Sequence[object]) -> float:
    """Edits by the length of what was said; NaN where nothing was said."""
    return edits(said, heard) / len(said) if len(said) else float("nan")
