"""Word error rates, against transcripts and against what is heard in the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from .heard import clip, heard, text, values

BY = "words.whisper"
HERE = Path("clip.wav")


def test_against_the_source_equal_words_are_right() -> None:
    found = heard({BY: text("Mr. Brown, the 2nd!")}, {BY: text("mister brown the second")})
    assert {name: value.value for name, value in values("words", None, found).items()} == {
        "words.wer": 0.0,
        "words.cer": 0.0,
    }


def test_a_transcript_counts_before_the_source() -> None:
    one = {BY: text("a cat sat")}
    found = heard(one, {BY: text("a cat sat")}, clip=clip(HERE, transcript="THE CAT SAT DOWN"))
    assert values("words", None, found)["words.wer"].value == 0.5
    assert values("words", {"reference": "source"}, found)["words.wer"].value == 0.0


def test_nothing_heard_is_wholly_wrong() -> None:
    found = heard({BY: text("")}, {BY: text("two words")})
    assert values("words", None, found)["words.wer"].value == 1.0


@pytest.mark.parametrize(
    ("reference", "source", "why"),
    [
        ("transcript", "some words", "the clip has no column transcript"),
        ("auto", "", "the reference has no words"),
    ],
)
def test_without_a_reference_there_is_a_reason(reference: str, source: str, why: str) -> None:
    found = heard({BY: text("words")}, {BY: text(source)}, clip=clip(HERE))
    assert values("words", {"reference": reference}, found)["words.wer"] == (None, why)


def test_the_targets_own_speech_has_no_reference() -> None:
    found = values("words", None, heard({BY: text("words")}))
    assert found["words.cer"] == (None, "there is neither a transcript nor a source")
