"""Edit distance against a plain recursion."""

from __future__ import annotations

import functools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.metrics.edit_distance import edit_distance, error_rate


def _plainly(a: str, b: str) -> int:
    @functools.cache
    def least(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        return min(
            least(i - 1, j) + 1, least(i, j - 1) + 1, least(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        )

    return least(len(a), len(b))


@pytest.mark.parametrize(
    ("a", "b", "count"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("", "", 0), ("abc", "abc", 0)],
)
def test_known_edit_distances(a: str, b: str, count: int) -> None:
    assert edit_distance(a, b) == count


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_equals_the_plain_recursion(a: str, b: str) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == _plainly(a, b)


def test_error_rate_is_relative_to_the_reference() -> None:
    assert error_rate("abcd", "abxd") == 0.25
    assert error_rate("ab", "abcdef") == 2.0
    assert math.isnan(error_rate("", "a"))
