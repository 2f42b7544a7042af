"""Names in the library."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.files.voice_library import is_name, name_problem, near, plain_name, slug
from voicegraph.graph.loading.overrides import parse_set


@pytest.mark.parametrize(
    "name", ["alice", "2b", "ずんだもん", "taylor-swift_2", "é", "v1", "x" * 63]
)
def test_these_are_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "Alice",
            "al ice",
            "a.pth",
            "a/b",
            "..",
            "-a",
            "_a",
            "a:b",
            "x" * 64,
            "e\u0301",
            "a\n",
        ),
        *("7", "007", "1e3", "0x10", "null", "true", "required", "nul", "com1", "voices", "models"),
    ],
)
def test_these_are_none(name: str) -> None:
    problem = name_problem(name)
    assert problem is not None
    assert is_name(str(problem.fix))


@given(st.text(max_size=100))
def test_any_title_gives_a_name(title: str) -> None:
    assert is_name(slug(title))


@given(st.text(max_size=70).map(slug))
def test_a_name_is_its_own_slug_and_text_in_yaml(name: str) -> None:
    assert slug(name) == name
    assert parse_set(f"vars.voice={name}")[1] == name


def test_prefix_belongs_to_no_name() -> None:
    assert plain_name("library:alice") == plain_name("alice") == "alice"
    assert plain_name("./alice") is None
    assert plain_name("e\u0301") == "é"


def test_a_typo_names_the_nearest() -> None:
    assert near("Alcie", ["bob", "alice", "heart"])[0] == "alice"
    assert near("qqq", ["bob"]) == []
