"""Param values through JSON without loss."""

from __future__ import annotations

import json
from enum import Enum
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from voicegraph.graph.runtime.param_values import from_json, to_json

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.fractions()
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(VALUES)
def test_values_survive_json(value: object) -> None:
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


class Colour(Enum):
    RED = "red"


class Inner(BaseModel):
    time: Fraction


def test_other_types_become_what_models_take() -> None:
    assert to_json(Path("a/b.pth")) == str(Path("a/b.pth"))
    assert to_json((1, 2)) == [1, 2]
    assert to_json(Colour.RED) == "red"
    found = from_json(to_json(Inner(time=Fraction(1, 3))))
    assert Inner.model_validate(found) == Inner(time=Fraction(1, 3))


def test_types_without_json_form_are_refused() -> None:
    with pytest.raises(TypeError, match="cannot be a object"):
        to_json(object())


@pytest.mark.parametrize("text", ["1/0", "1e9", "x", "", "1", "1/2/3", 3, None, "9" * 500 + "/1"])
def test_malformed_fractions_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a fraction"):
        from_json({"$fraction": text})
