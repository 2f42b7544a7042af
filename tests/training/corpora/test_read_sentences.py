"""What the voices that come along are made of, as far as it needs no package that speaks."""

from __future__ import annotations

from pathlib import Path

from voicegraph.training.corpora import read_sentences
from voicegraph.training.corpora.tts_speakers import SPEAKERS
from voicegraph.training.make.recipes import RECIPES
from voicegraph.training.voice.workdir import Workplace


def test_sentences() -> None:
    found = read_sentences.sentences()
    assert len(found) == len(set(found)) == 620
    assert all(40 <= len(text) <= 150 and text.isascii() for text in found)


def test_recipes_have_speakers() -> None:
    assert {recipe.speaker for recipe in RECIPES.values()} <= SPEAKERS.keys()


def test_only_what_is_missing_is_said(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.speech(1).parent.mkdir()
    place.speech(1).touch()
    assert [job[3] for job in read_sentences.jobs(place, "heart", Path(), 4)] == [0, 2, 3]
