"""Patterns of cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.experiments.file.cell_pattern import CellPattern

LEVELS = {"pipeline": "world", "noise": "babble10", "retrieve": "0.3"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("pipeline=world", True),
        ("pipeline = world ,noise=babble*", True),
        ("noise=babble?0, retrieve=0.3", True),
        ("noise=pink*", False),
        ("noise=pink10|babble10", True),
        ("noise=pink* | babble*, retrieve=0|1", False),
        ("target=heart", False),
        ("pipeline=World", False),
    ],
)
def test_a_pattern_matches_cells_with_its_levels(text: str, matches: bool) -> None:
    assert CellPattern.parse(text).matches(LEVELS) is matches


@pytest.mark.parametrize("text", ["", "world", "=world", "a=1, a=2", "a=", "a=1,,b=2"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|twice"):
        CellPattern.parse(text)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.sampled_from("abc")))
def test_a_pattern_reads_what_it_writes(levels: dict[str, str]) -> None:
    if levels:
        assert CellPattern.parse(str(CellPattern(levels))).levels == levels
