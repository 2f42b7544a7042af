"""Text as it is spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.experiments.observers.spoken_words import spoken_words


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Mr. Brown's  DOG, isn't it?", "mister brown's dog isn't it"),
        ("Chapter 21", "chapter twenty one"),
        ("in 1,250 houses", "in one thousand two hundred fifty houses"),
        ("the 3rd and the 20th", "the third and the twentieth"),
        ("$5 & 50%", "five dollars and fifty percent"),
        ("3.14", "three point one four"),
        ("007", "zero zero seven"),
        ("[music] caf\u00e9 (laughs)", "cafe"),
        ("don\u2019t", "don't"),
        ("a 40-year-old", "a forty year old"),
        ("...", ""),
    ],
)
def test_writing_becomes_speech(written: str, spoken: str) -> None:
    assert " ".join(spoken_words(written)) == spoken


@given(st.text(max_size=80))
def test_spoken_text_stays_as_it_is(written: str) -> None:
    once = spoken_words(written)
    assert all(word and word == word.lower() for word in once)
    again = spoken_words(" ".join(once))
    assert again == spoken_words(" ".join(again))


@given(st.integers(0, 10**12 - 1))
def test_every_number_has_words(number: int) -> None:
    assert all(word.isalpha() for word in spoken_words(str(number)))
