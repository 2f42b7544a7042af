"""Names of encodings."""

from __future__ import annotations

from typing import Any

import faiss
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.errors import PipelineError
from voicegraph.training.index.encodings import nearest_divisor, parse_encoding, usual_encodings


@pytest.mark.parametrize("text", ["flat", "fp16", "SQ8", "sq4", "pq:4", "pq:16", "opq:8"])
def test_sizes_are_those_of_faiss(text: str) -> None:
    encoding = parse_encoding(text, 16)
    assert str(encoding) == text.lower()
    made: Any = faiss.index_factory(16, encoding.factory(4))
    assert made.code_size == encoding.code_bytes(16)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sq9", "there is no type 'sq9'; there are: flat, fp16"),
        ("", "there is no type ''"),
        ("sq8:4", "there is no type 'sq8:4'"),
        ("pq", "divides the dimension 144; found none"),
        ("pq:0", "divides the dimension 144; found 0"),
        ("pq:71", "divides the dimension 144; found 71"),
        ("opq:999999", "divides the dimension 144; found 999999"),
        ("pq:x", "there is no type 'pq:x'"),
    ],
)
def test_mistakes_are_refused_with_an_encoding_that_works(text: str, said: str) -> None:
    with pytest.raises(PipelineError) as refused:
        parse_encoding(text, 144)
    (problem,) = refused.value.problems
    assert said in problem.message
    parse_encoding((problem.fix or "").removeprefix("--to "), 144)


@given(st.integers(1, 2000), st.integers(1, 3000))
def test_nearest_divisor_divides_and_none_is_nearer(dimension: int, wanted: int) -> None:
    found = nearest_divisor(dimension, wanted)
    assert dimension % found == 0
    distance = abs(found - wanted)
    nearer = range(max(1, wanted - distance + 1), wanted + distance)
    assert not [n for n in nearer if dimension % n == 0]


@pytest.mark.parametrize("dimension", [1, 7, 144, 256, 768])
def test_what_is_tried_fits_every_dimension(dimension: int) -> None:
    found = usual_encodings(dimension)
    assert [parse_encoding(str(each), dimension) for each in found] == found
    assert len({str(each) for each in found}) == len(found)
