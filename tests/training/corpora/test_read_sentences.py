"""Sentences of the bundled voices; no text-to-speech package is needed here."""

from __future__ import annotations

from pathlib import Path

from voicegraph.training.corpora import read_sentences
from voicegraph.training.corpora.tts_speakers import SPEAKERS
from voicegraph.training.make.recipes import RECIPES
from voicegraph.training.voice.workdir import Workdir


def test_sentences_are_short_and_unique() -> None:
    found = read_sentences.sentences()
    assert len(found) == len(set(found)) == 620
    assert all(40 <= len(text) <= 150 and text.isascii() for text in found)


def test_every_recipe_has_a_speaker() -> None:
    assert {recipe.speaker for recipe in RECIPES.values()} <= SPEAKERS.keys()


def test_jobs_are_the_missing_sentences(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path)
    workdir.speech(1).parent.mkdir()
    workdir.speech(1).touch()
    assert [job[3] for job in read_sentences.jobs(workdir, "heart", Path(), 4)] == [0, 2, 3]
