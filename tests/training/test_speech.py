"""What the voices that come along are made of, as far as it needs no package that speaks."""

from __future__ import annotations

from pathlib import Path

from voicegraph.training import speech
from voicegraph.training.recipes import RECIPES
from voicegraph.training.speakers import SPEAKERS
from voicegraph.voices.workplace import Workplace


def test_sentences() -> None:
    found = speech.sentences()
    assert len(found) == len(set(found)) == 620
    assert all(40 <= len(text) <= 150 and text.isascii() for text in found)


def test_recipes_have_speakers() -> None:
    assert {recipe.speaker for recipe in RECIPES.values()} <= SPEAKERS.keys()


def test_only_what_is_missing_is_said(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.speech(1).parent.mkdir()
    place.speech(1).touch()
    assert [job[3] for job in speech.jobs(place, "heart", Path(), 4)] == [0, 2, 3]
