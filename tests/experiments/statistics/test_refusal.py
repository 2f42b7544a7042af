"""Experiments without statistics, and the setting that is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicegraph.experiments.clip import Clip
from voicegraph.experiments.statistics import refusal
from voicegraph.graph import optional_packages

FILES = {"files": "speech/"}
MANY = "clips.files: FOLDER  (or --set clips.files=FOLDER), with recordings of 6 speakers or more"


def _refused(speakers: int, settings: dict[str, Any] | None, each: int = 1) -> Any:
    clips = [
        Clip(f"{s}-{c}", Path("x.wav"), "0", str(s)) for s in range(speakers) for c in range(each)
    ]
    return refusal.refusal(clips, settings)


@pytest.mark.parametrize(
    ("speakers", "settings", "said", "fix"),
    [
        (1, None, "the bundled recording is of 1 speaker, 6 are needed", MANY),
        (1, {"files": None}, "the bundled recording is of 1 speaker, 6 are needed", MANY),
        (5, FILES, "the clips are of 5 speakers, 6 are needed", MANY),
        (4, {**FILES, "draw": {"speakers": 4}}, "4 speakers", "clips.draw.speakers: 6  (or --set"),
        (3, {**FILES, "draw": {"speakers": 8}}, "3 speakers", MANY),
    ],
)
def test_too_few_speakers_are_refused(
    speakers: int, settings: dict[str, Any] | None, said: str, fix: str
) -> None:
    problem = _refused(speakers, settings)
    assert problem.code == "no-statistics"
    assert said in problem.message
    assert problem.fix.startswith(fix)


def test_many_clips_of_one_speaker_ask_who_speaks() -> None:
    assert _refused(1, FILES, 9).fix.startswith("clips.speaker: ")
    assert _refused(1, {**FILES, "speaker": "{stem}"}, 9).fix == MANY


def test_six_speakers_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _refused(6, FILES) is None
    monkeypatch.setattr(
        refusal,
        "is_installed",
        lambda name: name != "statsmodels" and optional_packages.is_installed(name),
    )
    problem = _refused(6, FILES)
    assert "testing differences needs statsmodels" in problem.message
    assert "voicegraph[experiment]" in problem.fix
