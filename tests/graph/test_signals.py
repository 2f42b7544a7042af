"""Signal types: rates stay exact, shapes and texts follow the kind."""

from __future__ import annotations

from fractions import Fraction

import pytest

from voicegraph.graph.signals import Audio, Features, Mask, Origin, Pitch


def test_rates_are_exact_however_they_are_given() -> None:
    assert Audio(44100, 2) == Audio(Fraction(44100), 2)  # pyright: ignore[reportArgumentType]
    assert isinstance(Audio(44100, 2).rate, Fraction)  # pyright: ignore[reportArgumentType]
    assert 1 / Pitch(100).rate == Fraction(1, 100)  # pyright: ignore[reportArgumentType]


def test_kinds_differ_even_where_numbers_agree() -> None:
    assert Pitch(Fraction(100)) != Mask(Fraction(100))
    assert Audio(Fraction(100), 4) != Features(Fraction(100), 4)


@pytest.mark.parametrize(
    ("kind", "width", "text"),
    [
        (Audio(Fraction(48000), 2), 2, "audio 48000 Hz x2"),
        (Features(Fraction(16000, 320), 768), 768, "features 50 Hz x768"),
        (Pitch(Fraction(16000, 3)), None, "pitch 16000/3 Hz"),
    ],
)
def test_width_and_text(kind: Audio, width: int | None, text: str) -> None:
    assert kind.width == width
    assert str(kind) == text


def test_shapes_put_streams_first() -> None:
    assert Audio(Fraction(8), 2).shape(3, 5) == (3, 2, 5)
    assert Features(Fraction(8), 2).shape(3, 5) == (3, 5, 2)
    assert Pitch(Fraction(8)).shape(3, 5) == Mask(Fraction(8)).shape(3, 5) == (3, 5)


def test_types_are_equal_whoever_made_the_values() -> None:
    origin = Origin("encoder", facts={"print": "a"})
    labelled = Features(Fraction(50), 8, origin=origin)
    assert labelled == Features(Fraction(50), 8)
    assert hash(labelled) == hash(Features(Fraction(50), 8))
    assert str(labelled) == "features 50 Hz x8"


@pytest.mark.parametrize(
    ("facts", "differing"),
    [
        ({"print": "a", "layer": 9}, ()),
        ({"print": "b", "layer": 9}, ("print",)),
        ({"print": "b", "layer": 12}, ("print", "layer")),
        ({"layer": 9, "more": 1}, ()),
        ({}, ()),
    ],
)
def test_origins_differ_in_what_both_know(
    facts: dict[str, str | int | bool], differing: tuple[str, ...]
) -> None:
    one, other = Origin("encoder", facts={"print": "a", "layer": 9}), Origin("encoder", facts=facts)
    assert one.differs(other) == differing
    assert set(other.differs(one)) == set(differing)
    assert one.differs(None) == ()


def test_origins_in_words() -> None:
    facts = {"print": "a", "layer": 9, "projected": True}
    assert str(Origin("encoder", facts=facts)) == "print a, layer 9, projected"
    assert str(Origin("encoder", facts=facts, title="X")) == "X (print a, layer 9, projected)"
    assert str(Origin("encoder", facts={"projected": False})) == "not projected"
    assert str(Origin("encoder", title="X")) == "X"
    assert str(Origin("encoder")) == "encoder not stated"
