"""Whether there are enough speakers for statistics, and the one setting that is missing if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from voicegraph.graph.errors import Problem
from voicegraph.graph.optional_packages import is_installed, missing_package

from ..clip import Clip
from .reachable_p import NEEDED


def refusal(clips: Sequence[Clip], settings: Mapping[str, Any] | None) -> Problem | None:
    """Why no difference between systems can be tested with these clips; None if they can.

    The unit of all statistics is the speaker: from a few of them nothing follows about others.

    Args:
        clips: the recordings that were drawn.
        settings: the entry ``clips`` of the experiment.
    """
    speakers = len({clip.speaker for clip in clips})
    if speakers < NEEDED:
        count = "1 speaker" if speakers == 1 else f"{speakers} speakers"
        given = settings or {}
        whose = "the clips are" if given.get("files") else "the bundled recording is"
        text = f"no statistics: {whose} of {count}, {NEEDED} are needed"
        return Problem("no-statistics", text, fix=_fix(speakers, len(clips), given))
    if not is_installed("statsmodels"):
        return missing_package("testing differences", "statsmodels", extra="experiment")
    return None


def _fix(speakers: int, clips: int, settings: Mapping[str, Any]) -> str:
    """The setting, in the forms of the file and of the command line."""
    drawn = (settings.get("draw") or {}).get("speakers")
    if settings.get("files") and drawn is not None and int(drawn) < NEEDED:
        return f"clips.draw.speakers: {NEEDED}  (or --set clips.draw.speakers={NEEDED})"
    if settings.get("files") and speakers == 1 < clips and not settings.get("speaker"):
        return (
            'clips.speaker: "{parent.name}", or another part of a file\'s name that says who speaks'
        )
    return (
        "clips.files: FOLDER  (or --set clips.files=FOLDER), "
        f"with recordings of {NEEDED} speakers or more"
    )
