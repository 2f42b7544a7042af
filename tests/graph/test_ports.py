"""Types, intervals and sizes of compiled ports."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.intervals import Interval
from voicegraph.graph.ports import PortRef, PortSpec
from voicegraph.graph.signals import Audio, Features, Pitch, SignalType


def spec(kind: SignalType, start: str, end: str, window: bool = False) -> PortSpec:
    span = Interval(Fraction(start), Fraction(end))
    return PortSpec(kind, span, span, window)


def test_a_partial_last_frame_of_a_window_counts() -> None:
    """As in the reference: 250 ms at 50 Hz hold 12.5 frames."""
    assert spec(Features(Fraction(50), 768), "-1/4", "0", window=True).count == 13


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (Audio(Fraction(1000), 2), (3, 2, 100)),
        (Features(Fraction(50), 8), (3, 5, 8)),
        (Pitch(Fraction(100)), (3, 10)),
    ],
)
def test_shape_follows_the_kind(kind: SignalType, shape: tuple[int, ...]) -> None:
    assert spec(kind, "-1/10", "0").shape(3) == shape


@given(st.integers(-500, 0), st.integers(1, 500), st.integers(0, 499))
def test_index_counts_whole_samples_from_the_start(start: int, count: int, at: int) -> None:
    rate = Fraction(441)
    port = spec(Audio(rate, 1), f"{start}/441", f"{start + count}/441")
    assert port.count == count
    assert port.index((start + at) / rate) == at
    assert port.index((start + at + Fraction(1, 2)) / rate) == at


def test_index_on_a_window_counts_from_its_own_start() -> None:
    port = spec(Pitch(Fraction(100)), "-1/8", "0", window=True)
    assert port.index(Fraction(-1, 8)) == 0
    assert port.index(Fraction(-1, 8) + Fraction(3, 100)) == 3


def test_ports_are_named_as_in_files() -> None:
    assert str(PortRef("f0", "voiced")) == "f0.voiced"
