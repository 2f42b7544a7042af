"""What ``match`` sets for a clip, as far as it is known before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.file_contents import read_content
from voicegraph.graph.loading.library_files import model_path
from voicegraph.graph.loading.overrides import Override
from voicegraph.graph.loading.sources import shipped_folder

from ..clip import Clip
from ..file.loaded_experiment import LoadedTarget
from ..work.match import Match
from ._dependences import card_of


def match_for(rules: Sequence[str], clip: Clip, target: LoadedTarget | None) -> Match:
    """The match of a clip and a target.

    Known are the columns ``median_hz`` and ``sex`` of the clip; of a target what the file says, or
    the median F0 that its voice's card states. What is not known is measured when it runs.
    """
    source_hz = None
    with suppress(KeyError, ValueError):
        source_hz = float(clip.columns["median_hz"])
    target_hz = target_sex = None
    if target is not None:
        target_hz, target_sex = target.spec.median_hz, target.spec.sex
        if target_hz is None:
            target_hz = voice_median_hz(target)
    sex = clip.columns.get("sex") or None
    chosen = tuple(rule for rule in ("start", "transpose") if rule in rules)
    return Match(chosen, source_hz, sex, target_hz, target_sex)  # pyright: ignore[reportArgumentType]


def voice_median_hz(target: LoadedTarget) -> float | None:
    """The median F0 in Hz that the card of a target's voice states; None if none does."""
    for override in target.overrides:
        value = override.value.data
        if not isinstance(value, str):
            continue
        for path in (_file_named(override, value), shipped_folder() / value):
            content = None if path is None else read_content(path)
            if path is None or content is None:
                continue
            card = card_of(path, content.sha256)
            spoken = getattr(card, "prosody", None) or getattr(card, "pitch", None)
            if spoken is not None:
                return float(spoken.median_hz)
    return None


def _file_named(override: Override, text: str) -> Path | None:
    """The file that a target's text means, also by its name in the library of voices."""
    try:
        return model_path(override.value.source_map, (), text)
    except VoicegraphError:
        return None  # compiling its cell says why
