"""Where a voice's pitch and level lie, for the nodes that bring a speaker's there."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph import Problem
from voicegraph.graph.files.models import WeightsError, identify
from voicegraph.graph.files.models.wrong_kind import CODE, wrong_kind
from voicegraph.schemas.source_filter_card import Prosody

_NOUN = "a voice whose card tells its pitch and level"


def prosody_of(voice: Path, fix: str) -> Prosody:
    """What a voice's card says of it.

    Args:
        voice: its file.
        fix: what to type where the file does not say it.

    Raises:
        WeightsError: if it is no file of weights, damaged, or does not say it, as RVC's voices.
    """
    card = identify(voice).card
    if card is None:
        raise wrong_kind(voice, _NOUN, fix)
    found = getattr(card, "prosody", None)
    if not isinstance(found, Prosody):
        text = f"{voice} does not say where the pitch and the level of its voice lie"
        raise WeightsError(Problem(CODE, text, fix=fix))
    return found
