"""Reads a voice's pitch and level from its card, for nodes that match a speaker to them."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph import Problem
from voicegraph.graph.files.models import WeightsError, identify
from voicegraph.graph.files.models.wrong_kind import CODE, wrong_kind
from voicegraph.schemas.source_filter_card import Prosody

_NOUN = "a voice whose card states its pitch and level"


def prosody_of(voice: Path, fix: str) -> Prosody:
    """The pitch and level statistics in a voice's card.

    Args:
        voice: its file.
        fix: what to type if the file does not state them.

    Raises:
        WeightsError: if it is not a voice, damaged, or does not state them, as RVC voices.
    """
    card = identify(voice).card
    if card is None:
        raise wrong_kind(voice, _NOUN, fix)
    found = getattr(card, "prosody", None)
    if not isinstance(found, Prosody):
        text = f"{voice} does not state the pitch and level of its voice"
        raise WeightsError(Problem(CODE, text, fix=fix))
    return found
