"""Whether there are enough speakers for statistics, and the setting that is missing if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voicegraph.graph.optional_packages import is_installed, missing_package

from ..clip import Clip
from ..statistics.paired import NEEDED


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is tested.

    Attributes:
        why: a sentence.
        fix: what to set or to type.
    """

    why: str
    fix: str


def refusal(clips: Sequence[Clip], resolved: Mapping[str, Any]) -> Refusal | None:
    """Why an experiment has no statistics; None if it has."""
    speakers = len({clip.speaker for clip in clips})
    if speakers < NEEDED:
        return _too_few(speakers, resolved.get("clips") or {})
    if not is_installed("statsmodels"):
        problem = missing_package("statistics", "statsmodels", extra="experiment")
        return Refusal(problem.message, problem.fix or "")
    return None


def _too_few(speakers: int, clips: Mapping[str, Any]) -> Refusal:
    if not clips.get("files"):
        why = f"no statistics: the bundled recording has 1 speaker, {NEEDED} are needed"
        return Refusal(why, f"clips.files: a folder with recordings of {NEEDED} speakers or more")
    found = "1 speaker" if speakers == 1 else f"{speakers} speakers"
    why = f"no statistics: there are clips of {found}, {NEEDED} are needed"
    drawn = (clips.get("draw") or {}).get("speakers")
    if drawn is not None and int(drawn) < NEEDED:
        return Refusal(why, f"clips.draw.speakers: {NEEDED}")
    if speakers == 1 and not clips.get("speaker"):
        return Refusal(why, "clips.speaker: how a file's name tells who speaks")
    return Refusal(why, f"clips.files: recordings of {NEEDED} speakers or more")
