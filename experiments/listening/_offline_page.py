"""A test as one HTML page without a server: sounds inside, answers saved as webMUSHRA's CSV."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import soundfile

from ..report.html_page import BASE, SWITCHING, html_page
from ._loudness import RATE
from ._webmushra import QUESTIONS, SCALE, UNFORCED
from .listening_test import ListeningTest

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "mushra": ("rating_stimulus", "rating_score", "rating_time", "rating_comment"),
    "mos": ("stimuli_rating", "stimuli", "rating_time"),
    "ab": (
        *("choice_reference", "choice_non_reference", "choice_answer"),
        *("choice_time", "choice_comment"),
    ),
    "abx": (
        *("choice_reference", "choice_non_reference", "choice_answer"),
        *("choice_time", "choice_comment"),
    ),
}
"""Columns of a rating after ``trial_id``, as webMUSHRA's service writes them."""
_INSTRUCTIONS = {
    "mushra": "Play the reference and every sound, as often as you like. Then move each slider.",
    "ab": "Play both sounds, as often as you like. Then choose.",
    "abx": "Play the reference and both sounds, as often as you like. Then choose.",
    "mos": "Play the sound, as often as you like. Then choose.",
}


def offline_page(test: ListeningTest, sounds: Mapping[str, np.ndarray]) -> str:
    """The page as text. It tells no listener, and no source code, which system made a sound."""
    trials, names = [], {name: f"s{at}" for at, name in enumerate(sorted(sounds))}
    for trial, stimuli in test.trials().items():
        reference = next((s for s in stimuli if s.stimulus == "reference"), None)
        rated = [{"id": s.stimulus, "sound": names[s.file]} for s in stimuli]
        if test.kind == "mos":  # a page for each sound
            trials += [_trial(trial, None, [one]) for one in rated]
            continue
        shown = reference if test.kind in ("mushra", "abx") else None
        trials.append(_trial(trial, None if shown is None else names[shown.file], rated))
    used = {stimulus["sound"] for trial in trials for stimulus in trial["stimuli"]}
    data = {
        "test": _facts(test, trials),
        "sounds": {n: _encoded(sounds[file]) for file, n in names.items() if n in used},
    }
    context = {
        "title": test.title,
        "question": QUESTIONS[test.kind],
        "instructions": (
            "Use headphones in a quiet room. Set a comfortable volume and leave it there.",
            _INSTRUCTIONS[test.kind],
        ),
        "pages": len(trials),
    }
    package = __package__ or ""
    styles, scripts = [BASE, (package, "listen.css")], [SWITCHING, (package, "listen.js")]
    return html_page((package, "listen.html"), styles, scripts, context, data)


def _trial(trial: str, reference: str | None, stimuli: list[dict[str, str]]) -> dict[str, Any]:
    """A page; several may belong to one trial of webMUSHRA."""
    page = trial if len(stimuli) > 1 else f"{trial}/{stimuli[0]['id']}"
    return {"page": page, "id": trial, "reference": reference, "stimuli": stimuli}


def _facts(test: ListeningTest, trials: list[dict[str, Any]]) -> dict[str, Any]:
    scale = [*SCALE] if test.kind in ("mos", "mushra") else []
    return {
        "id": test.id,
        "kind": test.kind,
        "question": QUESTIONS[test.kind],
        "columns": COLUMNS[test.kind],
        "scale": scale,
        "unforced": UNFORCED.get(test.kind, ""),
        "trials": trials,
    }


def _encoded(sound: np.ndarray) -> dict[str, Any]:
    """Without loss, since what is compared must not be coded."""
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, format="FLAC", subtype="PCM_16")
    audio = base64.b64encode(file.getvalue()).decode()
    return {"audio": audio, "type": "audio/flac", "seconds": round(len(sound) / RATE, 4)}
