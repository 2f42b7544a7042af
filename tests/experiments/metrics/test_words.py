"""Word error rates, against transcripts and against what is heard in the source."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .heard import clip, heard, text, values

BY = "words.whisper"
HERE = Path("clip.wav")


def test_against_the_source_equal_words_are_right() -> None:
    found = heard({BY: text("Mr. Brown, the 2nd!")}, {BY: text("mister brown the second")})
    assert {name: value.value for name, value in values("words", None, found).items()} == {
        "words.wer": 0.0,
        "words.cer": 0.0,
    }


@given(
    st.lists(st.sampled_from(["cat", "sat", "on", "mat's"]), min_size=1, max_size=8),
    st.lists(st.sampled_from([" ", ", ", "! ", " - ", "... "]), min_size=8, max_size=8),
    st.integers(0, 7),
)
def test_writing_does_not_count_and_one_lost_word_does(
    words: list[str], between: list[str], lost: int
) -> None:
    written = "".join(f"{word.upper()}{mark}" for word, mark in zip(words, between, strict=False))
    reference = {BY: text(" ".join(words))}
    assert values("words", None, heard({BY: text(written)}, reference))["words.wer"].value == 0.0
    del words[lost % len(words)]
    found = values("words", None, heard({BY: text(" ".join(words))}, reference))["words.wer"]
    assert found.value == 1 / (len(words) + 1)


def test_a_transcript_counts_before_the_source() -> None:
    one = {BY: text("a cat sat")}
    found = heard(one, {BY: text("a cat sat")}, clip=clip(HERE, transcript="THE CAT SAT DOWN"))
    assert values("words", None, found)["words.wer"].value == 0.5
    assert values("words", {"reference": "source"}, found)["words.wer"].value == 0.0


def test_two_recognizers_have_numbers_of_their_own() -> None:
    made = {BY: text("a cat sat"), "words.moonshine": text("a cat")}
    source = {BY: text("a cat sat"), "words.moonshine": text("a cat sat on")}
    found = values("words", ["whisper-tiny", "moonshine-tiny"], heard(made, source))
    assert found["words.wer"].value == 0.0
    assert found["words.wer_moonshine"].value == 0.5


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
