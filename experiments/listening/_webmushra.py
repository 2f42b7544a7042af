"""A test as webMUSHRA's files: a config, and WAV files below it.

The keys are those of webMUSHRA's doc/experimenter.md (AudioLabs Erlangen). Its pages for pairs
always have a button for the reference, which is the baseline here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from ._loudness import RATE
from .listening_test import ListeningTest, Stimulus

SCALE = ("Bad", "Poor", "Fair", "Good", "Excellent")
QUESTIONS: Mapping[str, str] = {
    "mushra": "Rate each sound against the reference. One of them is the reference itself.",
    "ab": "Which of A and B do you prefer?",
    "abx": "Which of A and B is the reference?",
    "mos": "How natural is this voice?",
}
UNFORCED = {"ab": "no preference", "abx": "I cannot tell"}


def write_webmushra(test: ListeningTest, sounds: Mapping[str, np.ndarray], folder: Path) -> Path:
    """Writes ``configs/NAME.yaml`` and the sounds; copied over a webMUSHRA, they are a test of it.

    Returns:
        The config.
    """
    place = Path("configs") / "resources" / test.id
    (folder / place).mkdir(parents=True, exist_ok=True)
    for name, sound in sounds.items():
        soundfile.write(folder / place / name, sound, RATE, "PCM_16")
    pages = ["random", *(_page(test, found, place) for found in test.trials().values())]
    config = {
        "testname": test.title,
        "testId": test.id,
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [_volume(test, place), pages, _finish()],
    }
    path = folder / "configs" / f"{test.id}.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def _page(test: ListeningTest, stimuli: Sequence[Stimulus], place: Path) -> dict[str, Any]:
    files = {stimulus.stimulus: (place / stimulus.file).as_posix() for stimulus in stimuli}
    own = {s.stimulus: files[s.stimulus] for s in stimuli if s.role == "system"}
    page = {"id": stimuli[0].trial, "name": test.title, "content": QUESTIONS[test.kind]}
    if test.kind == "mos":
        response = [{"value": n + 1, "label": text} for n, text in enumerate(SCALE)]
        more = {"mustRate": True, "mustPlayback": "ended", "stimuli": own, "response": response}
        return {"type": "likert_single_stimulus", **page, **more}
    shown = {"showWaveform": False, "enableLooping": True, "reference": files["reference"]}
    if test.kind == "mushra":
        more = {"strict": True, "createAnchor35": True, "createAnchor70": False}
        return {"type": "mushra", **page, **shown, **more, "randomize": True, "stimuli": own}
    return {
        "type": "paired_comparison",
        **page,
        **shown,
        "unforced": UNFORCED[test.kind],
        "stimuli": own,
    }


def _volume(test: ListeningTest, place: Path) -> dict[str, Any]:
    return {
        "type": "volume",
        "id": "volume",
        "name": "Volume",
        "content": "Use headphones. Set a comfortable volume and leave it there.",
        "stimulus": (place / test.stimuli[0].file).as_posix(),
        "defaultVolume": 0.5,
    }


def _finish() -> dict[str, Any]:
    """The last page asks for a name, which tells listeners apart in the ratings."""
    question = {"type": "text", "label": "Your name or number", "name": "listener"}
    return {
        "type": "finish",
        "name": "Thank you",
        "content": "Thank you for listening.",
        "showResults": False,
        "writeResults": True,
        "questionnaire": [question],
    }
